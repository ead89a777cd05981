export function copyProgram(target: string): void
