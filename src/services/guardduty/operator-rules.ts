/**
 * Rules that the operator wrote in YAML, for all accounts: a file, or all `.yml` and `.yaml` files of a directory.
 *
 * @example
 * # MERLON_DETECTION_RULES=/etc/merlon/rules
 */
import { readFileSync, statSync } from 'node:fs'
import { parseOperatorRules, RULE_FILE_LENGTH_MAX } from '../../engines/detect/operator-rules/rules.ts'
import type { OperatorRule } from '../../engines/detect/types.ts'
import { listFiles } from '../../kernel/list-files.ts'

/** Of all files. */
const RULES_MAX = 1_000
const FILES_MAX = 1_000
/** UTF-8 has at most three bytes for each unit that is counted. */
const FILE_BYTES_MAX = 3 * RULE_FILE_LENGTH_MAX

/** Throws with the name of the variable, and of the file that is not valid. */
export function readRuleFiles(path: string | undefined): readonly OperatorRule[] {
  if (path === undefined || path === '') return []
  try {
    const files = listFiles(path, /\.ya?ml$/i)
    if (files.length > FILES_MAX) throw new Error(`${path}: has more than ${FILES_MAX} files.`)
    const rules = files.flatMap(readRuleFile)
    if (rules.length > RULES_MAX) throw new Error(`${path}: has more than ${RULES_MAX} rules.`)
    return rules
  } catch (error) {
    throw new Error(`MERLON_DETECTION_RULES: ${(error as Error).message}`)
  }
}

function readRuleFile(file: string): readonly OperatorRule[] {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) throw new Error(`The file has more than ${FILE_BYTES_MAX} bytes.`)
    return parseOperatorRules(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`)
  }
}
