export function buildDeb(target: string): string
