/** `merlon pytest-plugin`: prints the plugin for pytest, a single file. */
import { readFileSync } from 'node:fs'
import { installedFile } from '../wire/installed-file.ts'
import { type Command, readOptions } from './command.ts'

const FILE = 'pytest_plugin.py'

export const pytestPlugin: Command = {
  name: 'pytest-plugin',
  about: 'Prints a pytest plugin: merlon pytest-plugin > conftest_merlon.py',
  options: {},
  async run(words) {
    readOptions({}, words)
    const file = installedFile(FILE)
    if (!file) throw new Error(`${FILE} is missing from this installation`)
    process.stdout.write(readFileSync(file))
    return 0
  },
}
