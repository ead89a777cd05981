/** What the package offers to others, as they import it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

test('merlon/policy decides without a server', async () => {
  // Not the source: the built library, resolved by its public name.
  const policy = (await import('merlon/policy' as string)) as typeof import('../src/policy/index.ts')
  const text =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}]}'
  const compiled = policy.compilePolicy(policy.parsePolicy(text, 'identity'), { id: 'p', kind: 'identity' })
  const ask = (action: string) =>
    policy.decide(
      {
        principal: {
          kind: 'user',
          account: '111122223333',
          arn: 'arn:aws:iam::111122223333:user/ann',
          userId: 'AIDA',
          name: 'ann',
          tags: {},
        },
        action,
        resource: 'arn:aws:s3:::b/k',
        resourceAccount: '111122223333',
        context: new policy.Context(),
      },
      { identity: [compiled], resourceMode: 'optional' },
    ).allowed

  expect([ask('s3:GetObject'), ask('s3:PutObject')]).toEqual([true, false])
})

test('the package holds what it needs at run time and nothing of the workshop', () => {
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )
  const files: string[] = pack.files.map(({ path }: { path: string }) => path)

  expect(files).toEqual(
    expect.arrayContaining([
      'dist/merlon.js',
      'dist/policy.js',
      'dist/encryption-sdk.js',
      'dist/encryption-sdk.cjs',
      'dist/types/encryption-sdk/index.d.ts',
      'dist/writer-thread.js',
      'dist/key-thread.js',
      'dist/aws-managed-policies.br',
      'dist/models/constraints/iam.json',
      'dist/types/policy/index.d.ts',
      // Error messages and the README name its pages.
      'docs/errors.md',
      'NOTICE',
      'LICENSE',
    ]),
  )
  expect(files.filter((file) => /^(src|test|tools|bench|models)\//.test(file))).toEqual([])
})

test('one package is needed at run time', () => {
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

  expect(Object.keys(manifest.dependencies)).toEqual(['@photostructure/sqlite'])
})
