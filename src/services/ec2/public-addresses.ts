/**
 * Public addresses. They come from 198.18.0.0/15, which RFC 2544 keeps for tests of networks: no host of the internet
 * has one, so that no public address of Merlon's is that of a real machine.
 */
import { randomInt } from 'node:crypto'
import { printAddress } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { key } from '../../store/store.ts'
import { fault } from './faults.ts'
import { networkInterface } from './resources.ts'

const FIRST = 0xc6_12_00_00
const COUNT = 2 ** 17
const TRIES = 64

const place = (address: string) => key('ec2', 'public-address', address)

/** Unused in the whole installation. */
export async function takeAddress(call: Call): Promise<string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const address = printAddress(4, BigInt(FIRST + randomInt(1, COUNT - 1)))
    if (await call.unit.get(place(address))) continue
    call.unit.put(place(address), { account: call.account, region: call.region })
    return address
  }
  throw fault('InsufficientAddressCapacity', 'Not enough public addresses are available.')
}

export const freeAddress = (call: Call, address: string): void => call.unit.delete(place(address))

/** `ec2-198-18-0-1.compute-1.amazonaws.com` */
export function publicName(call: Call, address: string): string {
  const zone = call.region === 'us-east-1' ? 'compute-1' : `${call.region}.compute`
  return `ec2-${address.replaceAll('.', '-')}.${zone}.amazonaws.com`
}

/** Whether interfaces of the VPC have public addresses. */
export const dependedOn = async (call: Call, vpcId: string): Promise<boolean> =>
  (await networkInterface.all(call)).some(
    ({ data }) =>
      data.VpcId === vpcId && data.PrivateIpAddresses?.some(({ Association }) => Association?.PublicIp !== undefined),
  )
