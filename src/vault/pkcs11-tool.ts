/**
 * OpenSC's `pkcs11-tool`, in a process of its own: a module that crashes takes no server with it, and installing Merlon
 * needs no compiler. The vault's sealer and the PKCS #11 keyring of the Encryption SDK use it.
 */
import { spawn } from 'node:child_process'
import { takeOver } from './aead.ts'

const TIMEOUT_MS = 20_000
const OUTPUT_BYTES_MAX = 64 * 1024
const PIN_VARIABLE = 'MERLON_PKCS11_TOOL_PIN'

/** Where a token is, and what opens it. */
export interface Token {
  /** Path of the PKCS #11 library. */
  readonly module: string
  /** Its label. */
  readonly token: string
  readonly pin: string
}

/** The tool is not installed, or its last line of complaint. */
export class Pkcs11Error extends Error {
  override readonly name = 'Pkcs11Error'
}

const HASHES = { sha1: 'SHA-1', sha256: 'SHA256', sha384: 'SHA384', sha512: 'SHA512' } as const

/** SoftHSM and many tokens know SHA-1 only here; OAEP does not rest on its collision resistance. */
export const oaepMechanism = (hash: keyof typeof HASHES): string[] => [
  '--mechanism',
  'RSA-PKCS-OAEP',
  '--hash-algorithm',
  HASHES[hash],
  '--mgf',
  `MGF1-${HASHES[hash].replace('-', '')}`,
]

export const tokenArguments = ({ module, token }: Pick<Token, 'module' | 'token'>): string[] => [
  '--module',
  module,
  '--token-label',
  token,
]

/** Runs the tool; the PIN travels in its environment, which only this user can read, and key bytes in pipes. */
export function pkcs11Tool(words: readonly string[], pin: string, input?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => reject(new Pkcs11Error(`pkcs11-tool: ${why}`))
    const child = spawn('pkcs11-tool', [...words, '--pin', `env:${PIN_VARIABLE}`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, [PIN_VARIABLE]: pin, LC_ALL: 'C' },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    const out: Buffer[] = []
    let length = 0
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= OUTPUT_BYTES_MAX) out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk).slice(-OUTPUT_BYTES_MAX)))
    child.on('error', (error: NodeJS.ErrnoException) =>
      refuse(error.code === 'ENOENT' ? 'is not installed (Debian: apt install opensc).' : error.message),
    )
    child.on('close', (status) => {
      const all = Buffer.concat(out)
      for (const chunk of out) chunk.fill(0)
      if (status === 0 && length <= OUTPUT_BYTES_MAX) resolve(takeOver(all))
      else {
        all.fill(0)
        refuse(lastWord(complaint))
      }
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

/** `CKR_PIN_INCORRECT` out of a page of talk. */
function lastWord(complaint: string): string {
  const lines = complaint.split('\n').filter((line) => line.trim() !== '' && !/^Aborting/.test(line))
  return lines.at(-1)?.trim() ?? 'ended without a word.'
}
