export const NODES: readonly string[]
export function nodeBinary(version: string): string
export function pack(folder: string): string
export function smoke(tarball: string, version: string): { readonly shown: string; readonly seconds: number }
