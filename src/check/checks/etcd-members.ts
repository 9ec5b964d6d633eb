import { controlPlaneNodes } from '../../spec/spec.ts';
import { etcdVoters } from '../ask/holds.ts';
import { askAnyMaster, type Check } from '../check.ts';

export const etcdMembers: Check = {
  name: 'etcd-members',
  title: 'etcd has one started voter on each master and no other member',
  ask: (cx) => askAnyMaster(cx, (master) => etcdVoters(master, controlPlaneNodes(cx.spec).length)),
};
