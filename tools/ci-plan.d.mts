/** Types of ci-plan.mjs, for its test. */
export declare const MINUTES_MAX: number
export declare const SUITES: readonly {
  readonly name: string
  readonly minutes: number
  readonly covers: readonly string[]
  readonly waits?: boolean
  readonly beside?: boolean
  readonly shards?: number
}[]
export declare function reached(root: string, files: readonly string[]): Set<string>
export declare function touched(root: string, changed: readonly string[] | undefined): string[]
export declare function plan(touchedNames: readonly string[], turn: number, minutesMax?: number): string[]
export declare function turnsUntil(name: string, turn: number, minutesMax?: number): number
export declare function changedFiles(root: string, base?: string): string[] | undefined
export declare function minutesOf(names: readonly string[]): number
export declare function shardOf(name: string, turn: number): string[]
export declare function turnOf(root: string): number
