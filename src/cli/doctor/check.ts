/** A check of `merlon doctor`: one line, and what to do where it is not well. */
export interface Check {
  readonly check: string
  readonly verdict: Verdict
  readonly found: string
  /** A sentence or a command; undefined where nothing is to be done. */
  readonly fix?: string | undefined
}

export type Verdict = 'PASS' | 'WARN' | 'FAIL'

export const pass = (check: string, found: string): Check => ({ check, verdict: 'PASS', found })
export const warn = (check: string, found: string, fix: string): Check => ({ check, verdict: 'WARN', found, fix })
export const fail = (check: string, found: string, fix: string): Check => ({ check, verdict: 'FAIL', found, fix })
