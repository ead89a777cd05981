export const USER: number
export function buildRoot(target: string, node?: string): number
