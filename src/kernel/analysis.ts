/** Moved to `ports/analyses.ts`. */
export * from './ports/analyses.ts'
