/** Moved to `ports/functions.ts`. */
export * from './ports/functions.ts'
