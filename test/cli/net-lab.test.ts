/** `merlon net lab`: packets between namespaces of this machine agree with the analysis, and are counted to the byte. */
import { describe, expect, test } from 'vitest'
import { randomFrom, randomNetwork } from '../../src/engines/network/random-network.fixture.ts'
import { isLabPossible, lab, office } from './lab.fixture.ts'

describe.skipIf(!isLabPossible)('The lab', () => {
  test.each([1, 2, 3, 4, 5, 6])('agrees with the analysis of random network %i', async (seed) => {
    const { status, stdout, stderr } = await lab(
      randomNetwork(randomFrom(seed)),
      ...['--questions', '40', '--seed', String(seed)],
    )
    expect(stdout + stderr).toMatch(/^40 connections, \d+ reachable, 0 different\n$/)
    expect(status).toBe(0)
  })

  test('agrees with the analysis of two VPCs with peering, NAT, a prefix list and a stateless way back', async () => {
    const { status, stdout, stderr } = await lab(office, '--questions', '80', '--json')
    expect(stderr).toBe('')
    const { questions, reachable, different } = JSON.parse(stdout)
    expect({ questions, different }).toEqual({ questions: 80, different: [] })
    expect(reachable).toBeGreaterThan(20)
    expect(status).toBe(0)
  })

  test('counts a connection that is carried and one that is rejected to the byte, at both interfaces', async () => {
    const script = `
      const net = require('node:net')
      const rejected = net.connect({ host: '10.1.1.10', port: 22, localAddress: '10.0.2.10', localPort: 40001 })
      rejected.on('error', () => undefined)
      setTimeout(() => rejected.destroy(), 300)
      net.connect({ host: '10.1.1.10', port: 5432, localAddress: '10.0.2.10', localPort: 40000 }).end('x'.repeat(1000)).resume()
    `
    const { status, stdout } = await lab(office, '--at', '10.0.2.10', '--flows', '--', process.execPath, '-e', script)
    expect(status).toBe(0)
    const [header, ...lines] = stdout.trim().split('\n')
    expect(header).toMatch(
      /^version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end/,
    )
    const records = lines.map((line) => line.split(' '))
    expect(records.map((parts) => [...parts.slice(0, 8), ...parts.slice(12)].join(' ')).sort()).toEqual(
      [
        '2 111122223333 eni-worker 10.0.2.10 10.1.1.10 40000 5432 6 ACCEPT OK',
        '2 111122223333 eni-worker 10.1.1.10 10.0.2.10 5432 40000 6 ACCEPT OK',
        '2 111122223333 eni-db 10.0.2.10 10.1.1.10 40000 5432 6 ACCEPT OK',
        '2 111122223333 eni-db 10.1.1.10 10.0.2.10 5432 40000 6 ACCEPT OK',
        // What the database's side refuses has left the worker.
        '2 111122223333 eni-worker 10.0.2.10 10.1.1.10 40001 22 6 ACCEPT OK',
        '2 111122223333 eni-db 10.0.2.10 10.1.1.10 40001 22 6 REJECT OK',
      ].sort(),
    )
    for (const [, , , , , sourcePort, , , packets, bytes, , , action] of records) {
      // A header of IP and TCP with a time stamp has 52 bytes, the first one of a connection 60; the text goes both ways.
      if (sourcePort === '40001') expect([packets, bytes]).toEqual(['1', '60'])
      else expect([action, Number(bytes) - 52 * Number(packets)]).toEqual(['ACCEPT', 8 + 1_000])
    }
  })

  test('refuses texts that are no addresses, and words that make no sense', async () => {
    const [first, ...others] = office.interfaces
    const broken = { ...office, interfaces: [{ ...first!, address: '10.0.1.10; reboot' }, ...others] }
    expect(await lab(broken)).toMatchObject({ status: 2, stderr: "merlon: '10.0.1.10; reboot' is no IPv4 address.\n" })
    const twice = { ...office, interfaces: [first!, { ...others[0]!, address: first!.address }, ...others.slice(1)] }
    expect((await lab(twice)).stderr).toContain('eni-web and eni-nat have the same address, 10.0.1.10.')
    expect((await lab(office, '--at', 'eni-web')).stderr).toContain('--at needs a command')
    expect((await lab(office, '--questions', 'many')).stderr).toContain('--questions is a number')
  })
})
