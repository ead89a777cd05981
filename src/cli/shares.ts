/** Showing shares, this once. */

export function showShares(shares: readonly string[], threshold: number, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify({ shares, threshold })}\n` : shown(shares, threshold))
}

const shown = (shares: readonly string[], threshold: number): string =>
  [
    `These ${shares.length} shares are shown only now. Any ${threshold} of them unlock the root key; fewer reveal nothing.`,
    'Give each to another person, on paper.',
    '',
    ...shares.map((share, at) => `  Share ${at + 1}:  ${share}`),
    '',
    '',
  ].join('\n')
