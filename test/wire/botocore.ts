/** A Python that has botocore, where the machine has one. */
import { spawnSync } from 'node:child_process'

const candidates = [process.env['BOTOCORE_PYTHON'], 'python3', 'python'].filter((name) => name !== undefined)

/** undefined where there is none: the tests that need it skip, loudly, unless `CI` demands them. */
export const botocorePython: string | undefined = candidates.find(
  (name) => spawnSync(name, ['-c', 'import botocore']).status === 0,
)

if (!botocorePython) {
  const message = 'no Python with botocore (set BOTOCORE_PYTHON): its cross checks do not run'
  if (process.env['CI']) throw new Error(message)
  console.warn(message)
}
