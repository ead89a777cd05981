/**
 * Rotates the access key of an IAM user: `{"UserName", "AccessKeyId", "SecretAccessKey"}`, made by the function's
 * execution role. A user has two keys at most: the one that is current, and the one before it, which goes on working
 * until the next rotation, so that programs that still use it keep working.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
 */
import { element } from '../../../kernel/client/client.ts'
import { inSteps, problem, putPending, type Turn, valueUnder } from './steps.ts'

interface AccessKey {
  readonly userName: string
  readonly accessKeyId: string | undefined
  readonly secret: string | undefined
}

export const accessKey = inSteps({
  create: async (turn) => {
    const current = await required(turn, 'AWSCURRENT')
    if (await valueUnder(turn, 'AWSPENDING')) return
    await makeRoom(turn, current)
    const xml = await turn.world.iam('CreateAccessKey', { UserName: current.userName })
    const [AccessKeyId, SecretAccessKey] = [element(xml, 'AccessKeyId'), element(xml, 'SecretAccessKey')]
    if (!AccessKeyId || !SecretAccessKey) throw problem(turn.step, 'IAM answered without a key')
    await putPending(turn, { ...(await valueUnder(turn, 'AWSCURRENT')), AccessKeyId, SecretAccessKey })
  },
  // The key is in force since it was made.
  set: async (turn) => void (await required(turn, 'AWSPENDING')),
  test: async (turn) => {
    const { userName, accessKeyId, secret } = await required(turn, 'AWSPENDING')
    if (!accessKeyId || !secret) throw problem(turn.step, 'the pending version holds no key')
    const arn = await turn.world.callerOf({ accessKeyId, secret })
    if (!arn.endsWith(`/${userName}`)) throw problem(turn.step, `the pending key is not one of ${userName}`)
  },
})

/**
 * Deletes what is not current: the key of the rotation before the last, and one that an earlier try made and could not
 * keep. Without a current key in the secret it is unknown which one is in use, and none is touched.
 */
async function makeRoom({ world, step }: Turn, { userName, accessKeyId }: AccessKey): Promise<void> {
  const xml = await world.iam('ListAccessKeys', { UserName: userName })
  const there = [...xml.matchAll(/<AccessKeyId>([^<]+)</g)].map(([, id]) => id!)
  if (there.length < KEYS_MAX) return
  if (accessKeyId === undefined || !there.includes(accessKeyId)) {
    throw problem(step, `${userName} has ${there.length} access keys, and none is the current version's`)
  }
  for (const AccessKeyId of there) {
    if (AccessKeyId !== accessKeyId) await world.iam('DeleteAccessKey', { UserName: userName, AccessKeyId })
  }
}

const KEYS_MAX = 2

/** Errors name members, never what they hold. */
async function required(turn: Turn, stage: string): Promise<AccessKey> {
  const value = await valueUnder(turn, stage)
  if (!value) throw problem(turn.step, `there is no ${stage} value`)
  const text = (name: string) => (typeof value[name] === 'string' && value[name] !== '' ? value[name] : undefined)
  const userName = text('UserName')
  if (!userName) throw problem(turn.step, 'the value has no UserName')
  return { userName, accessKeyId: text('AccessKeyId'), secret: text('SecretAccessKey') }
}
