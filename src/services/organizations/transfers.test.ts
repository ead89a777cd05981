/** Transfers of responsibility move bills between organizations; there are no bills here, and no pretending. */
import {
  DescribeResponsibilityTransferCommand,
  InviteOrganizationToTransferResponsibilityCommand,
  ListInboundResponsibilityTransfersCommand,
  ListOutboundResponsibilityTransfersCommand,
  TerminateResponsibilityTransferCommand,
  UpdateResponsibilityTransferCommand,
} from '@aws-sdk/client-organizations'
import { expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { organization } from './organization.fixture.ts'

const Id = 'rt-12345678'

test.each([
  new DescribeResponsibilityTransferCommand({ Id }),
  new InviteOrganizationToTransferResponsibilityCommand({
    Type: 'BILLING',
    Target: { Id: ACCOUNT, Type: 'ACCOUNT' },
    StartTimestamp: new Date(0),
    SourceName: 'bills',
  }),
  new ListInboundResponsibilityTransfersCommand({ Type: 'BILLING' }),
  new ListOutboundResponsibilityTransfersCommand({ Type: 'BILLING' }),
  new TerminateResponsibilityTransferCommand({ Id }),
  new UpdateResponsibilityTransferCommand({ Id, Name: 'bills' }),
])('$constructor.name is reported as not implemented', async (command) => {
  const { org } = await organization()

  await expect(org.send(command as DescribeResponsibilityTransferCommand)).rejects.toMatchObject({
    name: 'NotImplemented',
  })
})
