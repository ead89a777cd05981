/** Wycheproof's vectors, as tools/reduce-wycheproof.mjs keeps them. */
import { readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

export interface Vector {
  readonly tcId: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly msg?: string
  readonly mu?: string
  readonly ctx?: string
  readonly sig?: string
  readonly key?: string
  readonly ct?: string
  readonly label?: string
  readonly tag?: string
  readonly public?: string
  readonly private?: string
  readonly shared?: string
  readonly seed?: string
  readonly c?: string
  readonly K?: string
  readonly ekSha256?: string
}

export interface Group {
  readonly curve?: string
  readonly keySize?: number
  readonly sha?: string
  readonly sLen?: number
  readonly tagSize?: number
  readonly publicKeyDer?: string
  readonly privateKeyPkcs8?: string
  readonly tests: readonly Vector[]
}

const folder = new URL('./data/', import.meta.url)

export function filesLike(pattern: RegExp): readonly string[] {
  const found = readdirSync(folder)
    .map((name) => name.replace(/_test\.json\.br$/, ''))
    .filter((name) => pattern.test(name))
  if (found.length === 0) throw new Error(`no vectors are like ${pattern}`)
  return found
}

export function groupsOf(name: string): readonly Group[] {
  return JSON.parse(brotliDecompressSync(readFileSync(new URL(`${name}_test.json.br`, folder))).toString('utf8'))
}

export const hex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex')
