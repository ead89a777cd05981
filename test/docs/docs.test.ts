/** Every command that README.md and docs/ show is run as written, in the order of its page, and must succeed. */
import { afterAll, describe, expect, test } from 'vitest'
import { type Block, blocksOf, pages, parseBlocks, shapeOf } from './pages.ts'
import { SCENES } from './scenes.ts'
import { Session } from './session.ts'

const all = pages().map((page) => ({ page, blocks: blocksOf(page).filter(({ steps }) => steps.length > 0) }))
const isRun = ({ notRun }: Block) => notRun === undefined

afterAll(() => {
  const left = all.flatMap(({ blocks }) => blocks).filter((block) => !isRun(block))
  for (const { page, line, notRun } of left) console.log(`not run: ${page}:${line}: ${notRun}`)
})

describe.each(all.filter(({ blocks }) => blocks.some(isRun)))('$page', ({ page, blocks }) => {
  test('does what it says', async () => {
    const session = await Session.open()
    const closing: (() => unknown)[] = [() => session.close()]
    try {
      const scene = SCENES[page] ?? {}
      const prepared = (await scene.prepare?.(session)) ?? {}
      if (prepared.close) closing.push(prepared.close)
      for (const [name, content] of Object.entries(scene.files ?? {})) session.write(name, content)
      for (const part of [prepared.before ?? []].flat()) await expectSuccess(session, `${page}: preparation`, part)
      for (const block of blocks.filter(isRun)) {
        for (const { command, output } of block.steps) {
          const text = prepared.rewrite ? prepared.rewrite(command) : command
          const last = block.steps.at(-1)!.command === command
          const ran = await expectStatus(session, `${page}:${block.line}`, text, last ? block.statuses : [0])
          if (output.length > 0) expect(ran, `${page}:${block.line}: output of ${command}`).toMatch(shapeOf(output))
        }
      }
      if (prepared.after) await expectSuccess(session, `${page}: what it must have done`, prepared.after)
    } finally {
      // Servers first, then what they are connected to.
      for (const close of closing) await close()
    }
  })
})

const expectSuccess = (session: Session, place: string, command: string) => expectStatus(session, place, command, [0])

async function expectStatus(
  session: Session,
  place: string,
  command: string,
  expected: readonly number[],
): Promise<string> {
  const { status, output } = await session.run(command, !expected.includes(0))
  expect(status, `${place}:\n${command}\n\n${output}`).toBeOneOf([...expected])
  return output
}

test('A block is read with its line, its commands, its output and why it is not run', () => {
  const [script, shown, marked] = parseBlocks(
    'page.md',
    [
      ...['# Title', '```sh', 'a \\', '  b', '```'],
      ...['', '```console', '$ one \\', '    two', 'said', '', '$ three', '```'],
      ...['<!-- not run: needs AWS -->', '', '```sh', 'aws', '```'],
    ].join('\n'),
  )

  expect(script).toMatchObject({ line: 2, language: 'sh', steps: [{ command: 'a \\\n  b' }], notRun: undefined })
  expect(shown!.steps).toEqual([
    { command: 'one \\\n    two', output: ['said'] },
    { command: 'three', output: [] },
  ])
  expect(marked).toMatchObject({ notRun: 'needs AWS', line: 16 })
})

test('The shape of an output allows other identifiers, numbers, times and line ends, and no other text', () => {
  const shape = shapeOf(['2026-11-24T15:58:20Z  kms:CreateKey  by arn:aws:iam::111122223333:user/ann', '  denied …'])

  expect('2027-01-01T00:00:00Z kms:CreateKey by\n arn:aws:iam::123456789012:user/ann denied by policy').toMatch(shape)
  expect('2027-01-01T00:00:00Z kms:CreateKey by arn:aws:iam::123456789012:user/bob denied').not.toMatch(shape)
})
