/** Types of ci-run.mjs, for its test. */
export declare const ORDER: readonly string[]
export declare function portsOf(name: string): number
export declare function nextSuite(queue: readonly string[], running: readonly string[]): string | undefined
