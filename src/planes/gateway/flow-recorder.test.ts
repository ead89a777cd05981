/** Connections to targets are reported as flows of the accounts that have the target, in both directions. */
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { FlowsRecord } from '../../kernel/planes/observed-flows.ts'
import { FlowRecorder } from './flow-recorder.ts'
import { Pools } from './upstream.ts'

const groupOf = (account: string) =>
  `arn:aws:elasticloadbalancing:us-east-1:${account}:targetgroup/web/0123456789abcdef`

test('Each connection is two flows, to the byte; an open one reports what came since', async () => {
  const sockets: Socket[] = []
  const server = createServer((_request, response) => void response.end('x'.repeat(1_000)))
  server.on('connection', (socket) => void sockets.push(socket))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const records: FlowsRecord[] = []
  const accounts = ['111122223333', '444455556666']
  const flows = new FlowRecorder({
    onRecord: (record) => void records.push(record as FlowsRecord),
    groupsOf: (address, to) => (address === '127.0.0.1' && to === port ? [...accounts, accounts[0]!].map(groupOf) : []),
  })
  const pools = new Pools(flows)
  onTestFinished(() => pools.close())
  const request = async () => {
    const { body } = await pools.of(`http://127.0.0.1:${port}`).request({ method: 'GET', path: '/' })
    await body.text()
  }

  await request()
  flows.flush()
  const [socket] = sockets
  const [sent, received] = [socket!.bytesRead, socket!.bytesWritten]
  const clientPort = socket!.remotePort
  const to = { source: '127.0.0.1', sourcePort: clientPort, destination: '127.0.0.1', destinationPort: port }
  const back = { source: '127.0.0.1', sourcePort: port, destination: '127.0.0.1', destinationPort: clientPort }
  expect(records).toMatchObject(
    accounts.map((account) => ({
      account,
      region: 'us-east-1',
      flows: [
        { ...to, protocol: 6, bytes: sent },
        { ...back, protocol: 6, bytes: received },
      ],
    })),
  )

  flows.flush()
  expect(records).toHaveLength(2)
  await request()
  flows.flush()
  expect(records).toHaveLength(4)
  expect(records[2]!.flows.map(({ bytes }) => bytes)).toEqual([sent, received])
})
