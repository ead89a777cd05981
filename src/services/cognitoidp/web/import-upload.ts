/** The address that takes the CSV file of a user import: the token in it is the proof. */
import { randomUUID } from 'node:crypto'
import type { Upload } from '../../../kernel/service/traits.ts'
import { route, type WebSite } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { LINE_LENGTH_MAX } from '../import-csv.ts'
import { IMPORT_BASE, type ImportRow, importKey, importOf, isUploadToken, partKey, partPlace } from '../import-rows.ts'
import { poolById } from '../resources.ts'

/** The most that the listener takes; AWS takes 100 MB. */
const FILE_BYTES_MAX = 70_000_000
/** Of a part: what one transaction of the import writes follows from it. */
const PART_BYTES = 64 * 1024
const PARTS_A_COMMIT = 16
/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html */
const USERS_MAX = 500_000

/** Files of user imports on their way in, by their address. */
export const importUpload: Upload = {
  matches: ({ method, url }) =>
    method === 'PUT' && url.startsWith(`${IMPORT_BASE}/`) && /[?&]token=[\w-]{40}/.test(url),
}

const refused = (status: number, code: string, message: string) => new Fault(code, message, { status })

interface Part {
  readonly line: number
  readonly text: Buffer
}

/** The first line, and parts that end with a line. Throws for lines that are too long, and for too many. */
function parted(file: Buffer): { readonly header: string; readonly parts: readonly Part[] } {
  const end = file.indexOf(10)
  if (end < 0 || end > LINE_LENGTH_MAX) throw refused(400, 'InvalidFile', 'The file has no header and no users.')
  const parts: Part[] = []
  let [from, line] = [end + 1, 2]
  while (from < file.length) {
    let to = Math.min(file.length, from + PART_BYTES)
    if (to < file.length) {
      to = file.lastIndexOf(10, to - 1) + 1
      if (to <= from) throw refused(400, 'InvalidFile', `Line ${line} is too long.`)
    }
    const text = file.subarray(from, to)
    parts.push({ line, text })
    for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) line++
    from = to
    if (line > USERS_MAX + 2) throw refused(400, 'InvalidFile', `The file has more than ${USERS_MAX} users.`)
  }
  if (parts.length === 0) throw refused(400, 'InvalidFile', 'The file has no users.')
  return { header: file.toString('utf8', 0, end).replace(/\r$/, ''), parts }
}

const upload = route({
  method: 'PUT',
  path: '/:pool/:job',
  event: 'UploadUserImportFile',
  authentication: 'anonymous',
  body: 'bytes',
  bodyBytesMax: FILE_BYTES_MAX,
  // The token in the address proves the sender.
  crossOrigin: true,
  shown: ['pool', 'job'],
  run: async (call, { path: { pool: poolId = '', job = '' }, query, bytes }) => {
    if (!isUploadToken(call, query['token'] ?? '', poolId, job))
      throw refused(403, 'AccessDenied', 'The address is not valid, or it has expired.')
    const pool = await poolById(call.unit, poolId)
    const row = pool && (await importOf(call.unit, poolId, job))
    if (!pool || row?.status !== 'Created') throw refused(404, 'NotFound', 'There is no job that waits for a file.')
    if (row.parts !== undefined)
      throw refused(409, 'Conflict', 'The job has its file. Create another job for another file.')
    call.recordIn(pool.account, pool.region)
    const { header, parts } = parted(bytes)
    const id = await call.once(async () => randomUUID().slice(0, 8))
    // In portions, before the row that names them: a file is larger than a transaction should be.
    for (let from = 0; from < parts.length; from += PARTS_A_COMMIT) {
      const some = parts.slice(from, from + PARTS_A_COMMIT)
      await call.commitNow(async (unit) => {
        for (const [index, { line, text }] of some.entries()) {
          const part = from + index
          const sealed = call.vault.seal(partPlace(pool, job, id, part), text)
          unit.put(partKey(poolId, job, id, part), { line, sealed })
        }
      })
    }
    call.unit.put(importKey(poolId, job), { ...row, header, upload: id, parts: parts.length } satisfies ImportRow)
    return { file: '', contentType: 'text/plain', cacheSeconds: 0 }
  },
})

export const importSite: WebSite = {
  service: 'cognito-idp',
  base: IMPORT_BASE,
  listener: 'api',
  printFault: ({ code, message, status }) => ({ json: { code, message }, status }),
  routes: [upload],
}
