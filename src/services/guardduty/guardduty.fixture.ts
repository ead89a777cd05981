/** What tests of GuardDuty share: a cloud with a detector. */
import { CreateDetectorCommand, GuardDutyClient } from '@aws-sdk/client-guardduty'
import { type CloudOptions, cloud } from '../../../test/cloud.ts'

export async function withDetector(options: CloudOptions = {}) {
  const it = await cloud(options)
  const client = it.client(GuardDutyClient)
  const { DetectorId } = await client.send(new CreateDetectorCommand({ Enable: true }))
  return { ...it, guardduty: client, DetectorId: DetectorId! }
}
