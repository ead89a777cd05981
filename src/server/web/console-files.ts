/** The files of the web console, as the build left them in a directory. Only files that were there at the start are served. */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type HttpRequest, type HttpResponse, header } from '../../wire/http.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}
/** Coding (RFC 9110 §12.5.3) and suffix of the files that the build compressed, best first. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const
/** `index-BkT1x0aQ.js`: another content has another name. */
const HASHED = /-[\w-]{8,}\.\w+$/
const IMMUTABLE = 'public, max-age=31536000, immutable'

export class ConsoleFiles {
  readonly #directory: URL
  readonly #names: ReadonlySet<string>

  private constructor(directory: URL, names: ReadonlySet<string>) {
    this.#directory = directory
    this.#names = names
  }

  /** `directory` ends with `/`. One that does not exist has no files. */
  static open(directory: URL | undefined): ConsoleFiles {
    const none = new ConsoleFiles(new URL('file:///'), new Set())
    if (directory === undefined) return none
    try {
      const entries = readdirSync(fileURLToPath(directory), { recursive: true, withFileTypes: true })
      const root = fileURLToPath(directory)
      const names = entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(root.length).replace(/^\/+/, ''))
      return new ConsoleFiles(directory, new Set(names))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none
      throw error
    }
  }

  /** By its name below the directory; undefined when there is none. */
  async read(name: string, request: Pick<HttpRequest, 'rawHeaders'>): Promise<HttpResponse | undefined> {
    const type = TYPES[extname(name)]
    if (type === undefined || !this.#names.has(name)) return undefined
    const accepted = (header(request, 'accept-encoding') ?? '').toLowerCase()
    const coding = CODINGS.find(([coding, suffix]) => accepts(accepted, coding) && this.#names.has(name + suffix))
    const body = await readFile(new URL(name + (coding?.[1] ?? ''), this.#directory))
    return {
      status: 200,
      headers: {
        'content-type': type,
        'cache-control': HASHED.test(name) ? IMMUTABLE : 'no-store',
        vary: 'accept-encoding',
        ...(coding && { 'content-encoding': coding[0] }),
      },
      body,
    }
  }
}

/** Listed, and not with the weight zero. */
const accepts = (accepted: string, coding: string): boolean =>
  accepted.split(',').some((each) => {
    const [name, weight] = each.split(';')
    return name!.trim() === coding && !/^\s*q=0(?:\.0*)?\s*$/.test(weight ?? '')
  })
