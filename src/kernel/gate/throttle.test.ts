/** Whose tokens a call spends, and that calling under another name gains nothing. */
import { describe, expect, test } from 'vitest'
import type { Subject } from './session.ts'
import { type RateLimits, rateDefaults, Throttle } from './throttle.ts'

const limits: RateLimits = {
  account: { perSecond: 30, burst: 30, runningMax: 8 },
  principal: { perSecond: 10, burst: 10, runningMax: 4 },
  address: { perSecond: 5, burst: 5, runningMax: 2 },
  accounts: new Map([['444455556666', { perSecond: 1_000, burst: 1_000, runningMax: 100 }]]),
}
const ACCOUNT = '111122223333'
const user = (id: string): Subject => ({ kind: 'user', name: id, id })
const role = (id: string, sessionName: string): Subject => ({ kind: 'role', name: id, id, sessionName })

/** A throttle whose clock does not move, and how many of a number of calls it admits, one after the other. */
function standing(over: RateLimits = limits) {
  let now = 0
  const throttle = new Throttle(over, () => now)
  const entered = (subject: Subject, times: number, account = ACCOUNT, bytes = 0) => {
    let count = 0
    for (let i = 0; i < times; i++) {
      const found = throttle.signed(account, subject, bytes)
      if ('scope' in found) continue
      found.release()
      count++
    }
    return count
  }
  return { throttle, entered, pass: (ms: number) => void (now += ms) }
}

describe('A principal', () => {
  test('over their limit spends nothing of the account’s', () => {
    const { entered } = standing()

    expect(entered(user('AIDAFLOOD'), 10_000)).toBe(10)
    expect(entered(user('AIDAGOOD'), 10)).toBe(10)
  })

  test('is one with all their sessions, and with users they federate', () => {
    const { entered } = standing()
    const sessions = Array.from({ length: 50 }, (_, i) => entered(role('AROAX', `session-${i}`), 1))
    const federated = Array.from({ length: 50 }, (_, i) =>
      entered({ kind: 'federated-user', name: `made-up-${i}`, issuer: user('AIDAX') }, 1),
    )

    expect(sessions.reduce((sum, n) => sum + n)).toBe(10)
    expect(federated.reduce((sum, n) => sum + n)).toBe(10)
    expect(entered(user('AIDAX'), 1)).toBe(0)
  })

  test('is checked without anything being spent', () => {
    const { throttle, entered } = standing()
    for (let i = 0; i < 100; i++) expect(throttle.short(ACCOUNT, user('AIDAX'), 0)).toBeUndefined()

    expect(entered(user('AIDAX'), 20)).toBe(10)
    expect(throttle.short(ACCOUNT, user('AIDAX'), 0)).toEqual({ scope: 'principal', retryAfterMs: 250 })
  })

  test('may only have so many calls in progress, however slowly they came', () => {
    const { throttle, pass } = standing()
    const running = Array.from({ length: 4 }, () => throttle.signed(ACCOUNT, user('AIDASLOW'), 0))
    pass(60_000)

    expect(throttle.signed(ACCOUNT, user('AIDASLOW'), 0)).toEqual({ scope: 'principal', retryAfterMs: 1_000 })
    for (const each of running) if ('release' in each) each.release()
    expect(throttle.signed(ACCOUNT, user('AIDASLOW'), 0)).toHaveProperty('release')
  })
})

describe('An account', () => {
  test('has a limit over all its users, and another account has its own', () => {
    const { throttle, entered } = standing()
    const users = Array.from({ length: 10 }, (_, i) => entered(user(`AIDA${i}`), 10))

    expect(users.reduce((sum, n) => sum + n)).toBe(30)
    expect(throttle.signed(ACCOUNT, user('AIDANEW'), 0)).toMatchObject({ scope: 'account' })
    expect(entered(user('AIDAELSEWHERE'), 10, '777788889999')).toBe(10)
  })

  test('may have a limit of its own', () => {
    const { entered } = standing()
    const users = Array.from({ length: 50 }, (_, i) => entered(user(`AIDA${i}`), 10, '444455556666'))

    expect(users.reduce((sum, n) => sum + n)).toBe(500)
  })

  test('whose root and users have nothing in common but the account', () => {
    const { entered } = standing()

    expect(entered({ kind: 'root' }, 20)).toBe(10)
    expect(entered({ kind: 'root' }, 20, '777788889999')).toBe(10)
  })
})

describe('A refused caller', () => {
  test('learns to wait until there is something to have', () => {
    const { throttle, entered, pass } = standing()
    entered(user('AIDAX'), 10)

    const refused = throttle.signed(ACCOUNT, user('AIDAX'), 0)
    expect(refused).toEqual({ scope: 'principal', retryAfterMs: 250 })
    pass(250)
    expect(entered(user('AIDAX'), 10)).toBe(2)
  })
})

describe('A body', () => {
  test('costs more the larger it is', () => {
    const { entered } = standing()

    expect(entered(user('AIDASMALL'), 100, ACCOUNT, 256 * 1024 - 1)).toBe(10)
    expect(entered(user('AIDALARGE'), 100, ACCOUNT, 1024 * 1024)).toBe(2)
  })

  test('larger than a bucket takes all of it, and gets in', () => {
    const { entered, pass } = standing()

    expect(entered(user('AIDAHUGE'), 2, ACCOUNT, 70 * 1024 * 1024)).toBe(1)
    pass(999)
    expect(entered(user('AIDAHUGE'), 1, ACCOUNT, 70 * 1024 * 1024)).toBe(0)
    pass(2_001)
    expect(entered(user('AIDAHUGE'), 1, ACCOUNT, 70 * 1024 * 1024)).toBe(1)
  })
})

describe('Unsigned calls', () => {
  const entered = (throttle: Throttle, address: string, times: number) => {
    let count = 0
    for (let i = 0; i < times; i++) {
      const found = throttle.unsigned(address, 0)
      if ('scope' in found) continue
      found.release()
      count++
    }
    return count
  }

  test('are limited by the address they come from', () => {
    const { throttle } = standing()

    expect(entered(throttle, '192.0.2.1', 100)).toBe(5)
    expect(entered(throttle, '192.0.2.2', 100)).toBe(5)
  })

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
    ['2001:db8::1', '2001:db8:0:0:1::', '2001:db8:0:1::1'],
    ['::1', '::2', '1::1'],
  ])('an IPv6 network counts as one address (%s, %s, not %s)', (first, same, other) => {
    const { throttle } = standing()

    expect(entered(throttle, first, 5)).toBe(5)
    expect(entered(throttle, same, 5)).toBe(0)
    expect(entered(throttle, other, 5)).toBe(5)
  })

  test('spend nothing of any account', () => {
    const it = standing()
    entered(it.throttle, '192.0.2.1', 1_000)

    expect(it.entered(user('AIDAX'), 10)).toBe(10)
  })
})

test('the defaults leave every account less than the whole, and every principal less than the account', () => {
  const { account, principal } = rateDefaults

  expect(principal.perSecond).toBeLessThan(account.perSecond)
  expect(principal.burst).toBeLessThan(account.burst)
  expect(principal.runningMax).toBeLessThan(account.runningMax)
})
