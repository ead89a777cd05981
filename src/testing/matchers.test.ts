/** The matchers of the test library, over events as the server records them. */
import { describe, expect, test } from 'vitest'
import type { MerlonEvent } from './events.ts'
import { matchers } from './matchers.ts'

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/k-1'

const event = (effect: 'Allow' | 'Deny', principal = 'arn:aws:iam::123456789012:user/team/ann'): MerlonEvent => ({
  eventID: 'e-1',
  eventTime: '2030-01-01T00:00:00Z',
  eventSource: 'kms.amazonaws.com',
  eventName: 'Decrypt',
  awsRegion: 'us-east-1',
  recipientAccountId: '123456789012',
  userIdentity: { arn: principal },
  requestParameters: null,
  responseElements: null,
  additionalEventData: {
    merlonDecisions: [{ id: 'e-1.1', action: 'kms:Decrypt', resource: KEY, effect, layer: 'identity' }],
  },
})

describe('toHaveDenied', () => {
  const denied = [event('Deny')]

  test.each([
    [{}],
    [{ action: 'kms:Decrypt' }],
    [{ action: 'KMS:decrypt' }],
    [{ action: 'kms:*', principal: 'ann', resource: KEY }],
    [{ principal: 'arn:aws:iam::123456789012:user/team/ann' }],
    [{ resource: /key\/k-1$/ }],
  ])('passes for a decision that has each member of %j', (pattern) => {
    expect(matchers.toHaveDenied(denied, pattern).pass).toBe(true)
  })

  test.each([[{ action: 'kms:Encrypt' }], [{ principal: 'an' }], [{ resource: 'arn:aws:kms:*:key/k-2' }]])(
    'fails where one member differs: %j',
    (pattern) => {
      const { pass, message } = matchers.toHaveDenied(denied, pattern)

      expect(pass).toBe(false)
      expect(message()).toContain(`denied  kms:Decrypt on ${KEY}`)
    },
  )

  test('does not take an allowed call for a denied one', () => {
    expect(matchers.toHaveDenied([event('Allow')]).pass).toBe(false)
    expect(matchers.toHaveAllowed([event('Allow')]).pass).toBe(true)
  })

  test('finds a role by its name in a session', () => {
    const session = event('Deny', 'arn:aws:sts::123456789012:assumed-role/deploy/ci')

    expect(matchers.toHaveDenied([session], { principal: 'deploy' }).pass).toBe(true)
  })

  test('says what is wrong with a list that was not awaited', () => {
    expect(() => matchers.toHaveDenied(Promise.resolve([]) as never)).toThrow('await merlon.events()')
  })
})
