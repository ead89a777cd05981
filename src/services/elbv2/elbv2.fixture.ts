/** A cloud with a VPC in two Availability Zones, for tests of load balancers. */

import { generateKeyPairSync, sign } from 'node:crypto'
import { DescribeSecurityGroupsCommand, DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { cloud } from '../../../test/cloud.ts'
import { buildCertificate, pem } from '../../engines/x509/certificate-builder.ts'
import { subjectAltName } from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import { newSerial } from '../../kernel/certificate-serial.ts'

/** A certificate that signed itself, and its key: PEM. */
export async function selfSignedCertificate(names: readonly string[]) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName([{ oid: attributeOids.CommonName, value: names[0]! }])
  const der = await buildCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(Date.now() + 90 * 86_400_000),
      algorithm: 'SHA256WITHECDSA',
      extensions: [subjectAltName(names)],
    },
    async (message) => sign('sha256', message, privateKey),
  )
  return {
    Certificate: Buffer.from(pem('CERTIFICATE', der)),
    PrivateKey: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
}

export async function loadBalancing(options: Parameters<typeof cloud>[0] = {}) {
  const it = await cloud(options)
  const ec2 = it.client(EC2Client)
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}))
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}))
  const client = it.client(elb.ElasticLoadBalancingV2Client)
  const subnets = Subnets.slice(0, 2).map(({ SubnetId }) => SubnetId!)
  const vpcId = Subnets[0]!.VpcId!
  const balancer = async (Name: string) => {
    const { LoadBalancers } = await client.send(new elb.CreateLoadBalancerCommand({ Name, Subnets: subnets }))
    return LoadBalancers![0]!
  }
  const group = async (Name: string, settings: Partial<elb.CreateTargetGroupCommandInput> = {}) => {
    const { TargetGroups } = await client.send(
      new elb.CreateTargetGroupCommand({
        Name,
        Protocol: 'HTTP',
        Port: 80,
        VpcId: vpcId,
        TargetType: 'ip',
        ...settings,
      }),
    )
    return TargetGroups![0]!.TargetGroupArn!
  }
  const listener = async (LoadBalancerArn: string, Port: number, TargetGroupArn: string) => {
    const { Listeners } = await client.send(
      new elb.CreateListenerCommand({
        LoadBalancerArn,
        Port,
        Protocol: 'HTTP',
        DefaultActions: [{ Type: 'forward', TargetGroupArn }],
      }),
    )
    return Listeners![0]!.ListenerArn!
  }
  return { ...it, elb: client, subnets, allSubnets: Subnets, vpcId, groups: SecurityGroups, balancer, group, listener }
}
