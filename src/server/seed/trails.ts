/** Seeds of CloudTrail: trails that log. */
import type * as CloudTrail from '@aws-sdk/client-cloudtrail'
import type { Api } from '../../kernel/service/api.ts'
import { compact, inTurn, seedPart } from './part.ts'

const cloudtrail: Api<typeof CloudTrail> = { id: 'cloudtrail' }

export const trails = seedPart({
  kind: 'trails',
  labels: ['name'],
  members: { name: true, bucket: true, prefix: true, multiRegion: true },
  add: async ({ call }, { name: Name, bucket, prefix, multiRegion }, step) => {
    await step([], `trail '${Name}'`, () =>
      call(cloudtrail, 'CreateTrail', {
        Name,
        S3BucketName: bucket,
        S3KeyPrefix: prefix,
        IsMultiRegionTrail: multiRegion,
        EnableLogFileValidation: true,
      }),
    )
    await step([], `trail '${Name}'`, () => call(cloudtrail, 'StartLogging', { Name }))
  },
  export: async ({ id, region, call }, leaveOut) => {
    const { trailList = [] } = await call(cloudtrail, 'DescribeTrails', { includeShadowTrails: false })
    const own = trailList.filter(({ HomeRegion }) => HomeRegion === region)
    const shown = await inTurn(own, async ({ Name = '', S3BucketName = '', S3KeyPrefix, IsMultiRegionTrail }) => {
      const { IsLogging } = await call(cloudtrail, 'GetTrailStatus', { Name })
      if (!IsLogging) leaveOut(`the trail ${Name} of account ${id}, which does not log`)
      return IsLogging
        ? [
            compact({
              name: Name,
              bucket: S3BucketName,
              prefix: S3KeyPrefix,
              multiRegion: IsMultiRegionTrail || undefined,
            }),
          ]
        : []
    })
    return shown.flat()
  },
})
