/** Condition keys and their values, e.g. `{ 'iam:PolicyARN': '…' }`. Undefined values count as absent. */
export type Conditions = Readonly<Record<string, string | readonly string[] | undefined>>
