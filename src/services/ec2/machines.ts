/** Instance types and images that every account finds: enough to name one, nothing of them runs here. */
import { createHash } from 'node:crypto'
import type * as EC2 from '@aws-sdk/client-ec2'

/** Sizes of a family: virtual processors and GiB of memory. */
const T = {
  nano: [2, 0.5],
  micro: [2, 1],
  small: [2, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  '2xlarge': [8, 32],
} as const
const M = { large: [2, 8], xlarge: [4, 16], '2xlarge': [8, 32], '4xlarge': [16, 64] } as const
const C = { large: [2, 4], xlarge: [4, 8], '2xlarge': [8, 16], '4xlarge': [16, 32] } as const
const R = { large: [2, 16], xlarge: [4, 32], '2xlarge': [8, 64], '4xlarge': [16, 128] } as const

const FAMILIES: Readonly<
  Record<
    string,
    {
      readonly arm?: true
      readonly burstable?: true
      readonly sizes: Readonly<Record<string, readonly [number, number]>>
    }
  >
> = {
  t2: { burstable: true, sizes: T },
  t3: { burstable: true, sizes: T },
  t3a: { burstable: true, sizes: T },
  t4g: { arm: true, burstable: true, sizes: T },
  m5: { sizes: M },
  m6i: { sizes: M },
  m7i: { sizes: M },
  m7g: { arm: true, sizes: M },
  c5: { sizes: C },
  c6i: { sizes: C },
  c7g: { arm: true, sizes: C },
  r5: { sizes: R },
  r6i: { sizes: R },
  r7g: { arm: true, sizes: R },
}

export const INSTANCE_TYPES: ReadonlyMap<string, EC2.InstanceTypeInfo> = new Map(
  Object.entries(FAMILIES).flatMap(([family, { arm, burstable, sizes }]) =>
    Object.entries(sizes).map(([size, [cpus, gib]]) => {
      const name = `${family}.${size}`
      return [
        name,
        {
          InstanceType: name as EC2._InstanceType,
          CurrentGeneration: family !== 't2',
          FreeTierEligible: name === 't2.micro' || name === 't3.micro',
          SupportedUsageClasses: ['on-demand'],
          SupportedRootDeviceTypes: ['ebs'],
          SupportedVirtualizationTypes: ['hvm'],
          BareMetal: false,
          Hypervisor: family === 't2' ? 'xen' : 'nitro',
          ProcessorInfo: { SupportedArchitectures: [arm ? 'arm64' : 'x86_64'] },
          VCpuInfo: { DefaultVCpus: cpus, DefaultCores: cpus / (arm ? 1 : 2), DefaultThreadsPerCore: arm ? 1 : 2 },
          MemoryInfo: { SizeInMiB: gib * 1024 },
          InstanceStorageSupported: false,
          EbsInfo: {
            EbsOptimizedSupport: family === 't2' ? 'unsupported' : 'default',
            EncryptionSupport: 'supported',
            NvmeSupport: 'required',
          },
          NetworkInfo: {
            MaximumNetworkInterfaces: 4,
            Ipv4AddressesPerInterface: 15,
            Ipv6AddressesPerInterface: 15,
            Ipv6Supported: true,
            EnaSupport: 'required',
          },
          HibernationSupported: false,
          BurstablePerformanceSupported: burstable ?? false,
          DedicatedHostsSupported: false,
          AutoRecoverySupported: false,
        } satisfies EC2.InstanceTypeInfo,
      ] as const
    }),
  ),
)

const AMAZON = '137112412989'
const CANONICAL = '099720109477'

interface PublicImage {
  readonly name: string
  readonly owner: string
  readonly alias?: string
  readonly architecture: 'x86_64' | 'arm64'
  readonly description: string
}

const IMAGES: readonly PublicImage[] = [
  {
    name: 'al2023-ami-2023.8.20250818.0-kernel-6.1-x86_64',
    owner: AMAZON,
    alias: 'amazon',
    architecture: 'x86_64',
    description: 'Amazon Linux 2023 AMI x86_64',
  },
  {
    name: 'al2023-ami-2023.8.20250818.0-kernel-6.1-arm64',
    owner: AMAZON,
    alias: 'amazon',
    architecture: 'arm64',
    description: 'Amazon Linux 2023 AMI arm64',
  },
  {
    name: 'amzn2-ami-hvm-2.0.20250818.2-x86_64-gp2',
    owner: AMAZON,
    alias: 'amazon',
    architecture: 'x86_64',
    description: 'Amazon Linux 2 AMI x86_64',
  },
  {
    name: 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250821',
    owner: CANONICAL,
    architecture: 'x86_64',
    description: 'Ubuntu 24.04 LTS',
  },
  {
    name: 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20250821',
    owner: CANONICAL,
    architecture: 'arm64',
    description: 'Ubuntu 24.04 LTS',
  },
]

const CREATED = '2025-08-21T00:00:00.000Z'

/** The same in every account of a Region. */
export const publicImages = (region: string): readonly (EC2.Image & { readonly ImageId: string })[] =>
  IMAGES.map(({ name, owner, alias, architecture, description }) => {
    const ImageId = `ami-${createHash('sha256').update(`${region} ${name}`).digest('hex').slice(0, 17)}`
    return {
      ImageId,
      Name: name,
      Description: description,
      OwnerId: owner,
      ...(alias !== undefined && { ImageOwnerAlias: alias }),
      ImageLocation: `${alias ?? owner}/${name}`,
      Architecture: architecture,
      State: 'available',
      Public: true,
      ImageType: 'machine',
      RootDeviceType: 'ebs',
      RootDeviceName: '/dev/xvda',
      VirtualizationType: 'hvm',
      Hypervisor: 'xen',
      EnaSupport: true,
      CreationDate: CREATED,
      BlockDeviceMappings: [
        {
          DeviceName: '/dev/xvda',
          Ebs: { VolumeSize: 8, VolumeType: 'gp3', DeleteOnTermination: true, Encrypted: false },
        },
      ],
    }
  })
