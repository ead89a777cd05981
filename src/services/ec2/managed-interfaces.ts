/** Interfaces that other services have in subnets: managed by them, and shown as such. */
import type { Call } from '../../kernel/gate/call.ts'
import type { ManagedInterfaces } from '../../kernel/ports/network.ts'
import { createInterface, groupsIn, removeInterface } from './interface-rows.ts'
import { networkInterface, subnet } from './resources.ts'
import { newId } from './words.ts'

/** Creates, changes and removes interfaces until there is one in each of the subnets. */
export async function placeManagedInterfaces(call: Call, wanted: ManagedInterfaces): Promise<void> {
  const { description, requester, subnets, isPublic } = wanted
  const own = (await networkInterface.all(call)).filter(
    ({ data }) => data.RequesterId === requester && data.Description === description,
  )
  const left = own.filter(({ data }) => subnets.includes(data.SubnetId!))
  for (const row of own) if (!left.includes(row)) await removeInterface(call, row)
  for (const row of left) {
    const groups = await groupsIn(call, row.data.VpcId!, wanted.groups)
    const Groups = groups.map(({ id, data }) => ({ GroupId: id, GroupName: data.GroupName }))
    networkInterface.put(call, { ...row, data: { ...row.data, Groups } })
  }
  for (const id of subnets.filter((each) => !left.some(({ data }) => data.SubnetId === each))) {
    const place = await subnet.get(call, id)
    if (!place) continue
    await createInterface(call, {
      subnet: place,
      groups: wanted.groups,
      description,
      requester,
      publicAddress: isPublic,
      attachment: {
        AttachmentId: newId('eni-attach'),
        AttachTime: new Date(call.now),
        DeleteOnTermination: false,
        DeviceIndex: 1,
        InstanceOwnerId: requester,
        Status: 'attached',
      },
    })
  }
}
