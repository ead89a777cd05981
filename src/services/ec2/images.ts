/** Images, key pairs, volumes and snapshots: records that instances refer to. */
import { createHash, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { key } from '../../store/store.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, invalid, missing, need } from './faults.ts'
import { matches } from './filters.ts'
import { image, instance, keyPair, snapshot, volume } from './machine-resources.ts'
import { newId } from './words.ts'
import { zoneNamed } from './zones.ts'

// ---- Images

export const registerImage = op('RegisterImage', [image.created()], (call, input, [{ id, create }]) => {
  create({
    ImageId: id,
    Name: need(input.Name, 'name'),
    Description: input.Description ?? '',
    OwnerId: call.account,
    ImageLocation: `${call.account}/${input.Name}`,
    Architecture: input.Architecture ?? 'x86_64',
    State: 'available',
    Public: false,
    ImageType: 'machine',
    RootDeviceType: 'ebs',
    RootDeviceName: input.RootDeviceName ?? '/dev/xvda',
    VirtualizationType: 'hvm',
    Hypervisor: 'xen',
    EnaSupport: input.EnaSupport ?? true,
    CreationDate: new Date(call.now).toISOString(),
    BlockDeviceMappings: input.BlockDeviceMappings ?? [],
  })
  return { ImageId: id }
})

export const deregisterImage = op('DeregisterImage', [image.at('ImageId')], (call, _input, [{ id, data, remove }]) => {
  if (data.OwnerId !== call.account) throw fault('AuthFailure', `Not authorized for image:${id}`)
  remove()
  return { Return: true }
})

const describingImages = describe('DescribeImages', image, {
  ids: 'ImageIds',
  result: 'Images',
  filters: `architecture creation-date=CreationDate description ena-support=EnaSupport hypervisor image-id image-type is-public=Public name
    owner-alias=ImageOwnerAlias owner-id root-device-name root-device-type state virtualization-type
    block-device-mapping.volume-type=BlockDeviceMappings.Ebs.VolumeType
    block-device-mapping.delete-on-termination=BlockDeviceMappings.Ebs.DeleteOnTermination`,
})

/** Owners are accounts, `self`, or AWS's own names. */
export const describeImages = {
  ...describingImages,
  run: async (call, input, row) => {
    const { Owners, ExecutableUsers: _, IncludeDeprecated: __, ...others } = input
    const answer = await describingImages.run(call, others, row)
    if (!Owners?.length) return answer
    const wanted: readonly string[] = Owners.map((owner: string) => (owner === 'self' ? call.account : owner))
    const isOwned = ({ OwnerId, ImageOwnerAlias }: EC2.Image) =>
      wanted.some((owner) => owner === OwnerId || owner === ImageOwnerAlias)
    return { ...answer, Images: answer.Images.filter(isOwned) }
  },
} satisfies typeof describingImages

// ---- Key pairs

const idKey = (call: Call, id: string) => key('ec2', 'key-pair-id', call.account, call.region, id)

function enterKey(
  call: Call,
  name: string,
  publicKey: string,
  fingerprint: string,
  type: 'rsa' | 'ed25519',
  create: (data: EC2.KeyPairInfo, more: { publicKey: string }) => unknown,
) {
  const KeyPairId = newId('key')
  create({ KeyPairId, KeyName: name, KeyFingerprint: fingerprint, KeyType: type }, { publicKey })
  call.unit.put(idKey(call, KeyPairId), { name })
  return { KeyPairId, KeyName: name, KeyFingerprint: fingerprint }
}

/** Rows are by name: the part that creates would make an ID of its own. */
const creating = keyPair.many()

async function assertNew(call: Call, name: string): Promise<void> {
  if (name.length > 255 || keyPair.type.form.mismatch({ KeyPairName: name }) !== undefined)
    throw invalid(`Value (${name}) for parameter keyName is invalid.`)
  if (await keyPair.get(call, name)) throw fault('InvalidKeyPair.Duplicate', `The keypair '${name}' already exists.`)
}

const enter =
  (call: Call, name: string, make: () => { readonly tags: Readonly<Record<string, string>> }) =>
  (data: EC2.KeyPairInfo, more: { publicKey: string }) =>
    keyPair.create(call, name, data, more, make().tags)

/** Off this thread: an RSA key takes a tenth of a second and more. */
const makePair = promisify(generateKeyPair)

export const createKeyPair = op('CreateKeyPair', [creating], async (call, input, [make]) => {
  const name = need(input.KeyName, 'keyName')
  await assertNew(call, name)
  if (input.KeyFormat === 'ppk') throw fault('NotImplemented', 'Merlon does not implement keys in PuTTY format.')
  const type = input.KeyType ?? 'rsa'
  // The private key leaves in the answer and is kept nowhere: the audit log redacts it.
  const pair = await call.once(async () => {
    if (type === 'rsa') {
      const { publicKey, privateKey } = await makePair('rsa', { modulusLength: 2048 })
      return {
        spki: publicKey.export({ type: 'spki', format: 'der' }),
        pem: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      }
    }
    const { publicKey, privateKey } = await makePair('ed25519', {})
    return {
      spki: publicKey.export({ type: 'spki', format: 'der' }),
      pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }
  })
  const fingerprint =
    type === 'rsa'
      ? colons(createHash('sha1').update(pair.spki).digest('hex'))
      : createHash('sha256').update(pair.spki).digest('base64')
  const made = enterKey(call, name, pair.spki.toString('base64'), fingerprint, type, enter(call, name, make))
  return { ...made, KeyMaterial: pair.pem }
})

const colons = (hex: string): string => hex.match(/../g)!.join(':')

export const importKeyPair = op('ImportKeyPair', [creating], async (call, input, [make]) => {
  const name = need(input.KeyName, 'keyName')
  await assertNew(call, name)
  const text = Buffer.from(need(input.PublicKeyMaterial, 'publicKeyMaterial')).toString('utf8').trim()
  const [algorithm, body = ''] = text.split(/\s+/)
  if (
    text.length > 16_384 ||
    (algorithm !== 'ssh-rsa' && algorithm !== 'ssh-ed25519') ||
    !/^[A-Za-z0-9+/=]+$/.test(body)
  ) {
    throw fault('InvalidKey.Format', 'Key is not in valid OpenSSH public key format')
  }
  const type = algorithm === 'ssh-rsa' ? 'rsa' : 'ed25519'
  const bytes = Buffer.from(body, 'base64')
  const fingerprint =
    type === 'rsa'
      ? colons(createHash('md5').update(bytes).digest('hex'))
      : createHash('sha256').update(bytes).digest('base64')
  return enterKey(call, name, text, fingerprint, type, enter(call, name, make))
})

export const deleteKeyPair = op(
  'DeleteKeyPair',
  [
    keyPair.by(async ({ KeyName, KeyPairId }, call) => {
      const name = KeyName ?? (await call.unit.get<{ readonly name: string }>(idKey(call, KeyPairId ?? '')))?.name
      return name !== undefined && (await keyPair.get(call, name)) ? [name] : []
    }),
  ],
  (call, input, [[found]]) => {
    if (input.KeyName === undefined && input.KeyPairId === undefined) throw missing('keyName')
    if (!found) return { Return: true }
    call.unit.delete(idKey(call, found.data.KeyPairId!))
    found.remove()
    return { Return: true, KeyPairId: found.data.KeyPairId }
  },
)

const describingKeys = describe('DescribeKeyPairs', keyPair, {
  ids: 'KeyNames',
  result: 'KeyPairs',
  filters: 'key-pair-id fingerprint=KeyFingerprint key-name',
  show: (row, _call) => ({ ...row.data, CreateTime: new Date(row.createdAt), PublicKey: row.publicKey }),
})

export const describeKeyPairs = {
  ...describingKeys,
  run: async (call, input, row) => {
    const { KeyPairIds, IncludePublicKey, ...others } = input
    const names: string[] = [...(others.KeyNames ?? [])]
    for (const id of KeyPairIds ?? []) {
      const known = await call.unit.get<{ readonly name: string }>(idKey(call, id))
      if (!known) throw fault('InvalidKeyPair.NotFound', `The key pair '${id}' does not exist`)
      names.push(known.name)
    }
    const answer = await describingKeys.run(call, { ...others, KeyNames: names }, row)
    if (IncludePublicKey) return answer
    return { ...answer, KeyPairs: answer.KeyPairs.map(({ PublicKey: _, ...pair }: LooseInput) => pair) }
  },
} satisfies typeof describingKeys

// ---- Volumes and snapshots

const VOLUME_GIB_MAX = 16_384

export const createVolume = op(
  'CreateVolume',
  [volume.created(), snapshot.maybe('SnapshotId')],
  (call, input, [{ id, create }, from]) => {
    const zone = zoneNamed(call.region, input.AvailabilityZone, input.AvailabilityZoneId)
    const Size = input.Size ?? from?.data.VolumeSize
    if (Size === undefined) throw missing('size')
    if (Size < 1 || Size > VOLUME_GIB_MAX) throw invalid(`Volume of ${Size}GiB is invalid.`)
    const row = create({
      VolumeId: id,
      AvailabilityZone: zone.name,
      AvailabilityZoneId: zone.id,
      Size,
      VolumeType: input.VolumeType ?? 'gp2',
      Encrypted: input.Encrypted ?? from?.data.Encrypted ?? false,
      SnapshotId: from?.id ?? '',
      State: 'available',
      MultiAttachEnabled: input.MultiAttachEnabled ?? false,
      Attachments: [],
      ...(input.Iops !== undefined && { Iops: input.Iops }),
      ...(input.Throughput !== undefined && { Throughput: input.Throughput }),
      ...(input.KmsKeyId !== undefined && { KmsKeyId: input.KmsKeyId }),
    })
    return { ...volume.show(row, call.now), State: 'creating' }
  },
)

export const deleteVolume = op('DeleteVolume', [volume.at('VolumeId')], (_call, _input, [{ id, data, remove }]) => {
  const [attachment] = data.Attachments ?? []
  if (attachment) throw fault('VolumeInUse', `Volume ${id} is currently attached to ${attachment.InstanceId}`)
  remove()
  return {}
})

export const attachVolume = op(
  'AttachVolume',
  [volume.at('VolumeId'), instance.at('InstanceId')],
  (call, input, [disk, machine]) => {
    if ((disk.data.Attachments ?? []).length > 0)
      throw fault('VolumeInUse', `${disk.id} is already attached to an instance`)
    if (disk.data.AvailabilityZone !== machine.data.Placement?.AvailabilityZone) {
      throw fault(
        'InvalidVolume.ZoneMismatch',
        `The volume '${disk.id}' is not in the same availability zone as instance '${machine.id}'`,
      )
    }
    const attachment = {
      VolumeId: disk.id,
      InstanceId: machine.id,
      Device: input.Device,
      State: 'attached' as const,
      DeleteOnTermination: false,
    }
    disk.set({ State: 'in-use', Attachments: [attachment] })
    const mapping = {
      DeviceName: input.Device,
      Ebs: { VolumeId: disk.id, Status: 'attached' as const, DeleteOnTermination: false },
    }
    machine.set({ BlockDeviceMappings: [...(machine.data.BlockDeviceMappings ?? []), mapping] })
    return { ...attachment, AttachTime: new Date(call.now), State: 'attaching' as const }
  },
)

export const detachVolume = op('DetachVolume', [volume.at('VolumeId')], async (call, _input, [disk]) => {
  const [attachment] = disk.data.Attachments ?? []
  if (!attachment) throw fault('IncorrectState', `Volume '${disk.id}' is in the 'available' state.`)
  disk.set({ State: 'available', Attachments: [] })
  const machine = await instance.get(call, attachment.InstanceId ?? '')
  if (machine) {
    const BlockDeviceMappings = (machine.data.BlockDeviceMappings ?? []).filter(({ Ebs }) => Ebs?.VolumeId !== disk.id)
    instance.put(call, { ...machine, data: { ...machine.data, BlockDeviceMappings } })
  }
  return { ...attachment, State: 'detaching' }
})

export const describeVolumes = describe('DescribeVolumes', volume, {
  ids: 'VolumeIds',
  result: 'Volumes',
  filters: `attachment.device=Attachments.Device attachment.instance-id=Attachments.InstanceId attachment.status=Attachments.State
    attachment.delete-on-termination=Attachments.DeleteOnTermination availability-zone encrypted multi-attach-enabled size
    snapshot-id status=State volume-id volume-type`,
})

export const createSnapshot = op(
  'CreateSnapshot',
  [snapshot.created(), volume.at('VolumeId')],
  (call, input, [{ id, create }, disk]) => {
    const row = create({
      SnapshotId: id,
      VolumeId: disk.id,
      VolumeSize: disk.data.Size,
      Encrypted: disk.data.Encrypted,
      Description: input.Description ?? '',
      OwnerId: call.account,
      State: 'completed',
      Progress: '100%',
      StorageTier: 'standard',
      ...(disk.data.KmsKeyId !== undefined && { KmsKeyId: disk.data.KmsKeyId }),
    })
    return { ...snapshot.show(row, call.now), State: 'pending' as const, Progress: '' }
  },
)

export const deleteSnapshot = op('DeleteSnapshot', [snapshot.at('SnapshotId')], (_call, _input, [{ remove }]) => {
  remove()
  return {}
})

const describingSnapshots = describe('DescribeSnapshots', snapshot, {
  ids: 'SnapshotIds',
  result: 'Snapshots',
  filters: 'description encrypted owner-id progress snapshot-id status=State storage-tier volume-id volume-size',
})

export const describeSnapshots = {
  ...describingSnapshots,
  run: (call, input, row) => {
    const { OwnerIds, RestorableByUserIds: _, ...others } = input
    const isOthers =
      OwnerIds?.length && !OwnerIds.some((owner: string) => owner === 'self' || matches(owner, call.account))
    return isOthers ? { Snapshots: [] } : describingSnapshots.run(call, others, row)
  },
} satisfies typeof describingSnapshots
