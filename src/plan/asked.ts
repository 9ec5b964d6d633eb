import { agentPaths, agentUnits } from '../render/agent/paths.ts';
import { bridgeConfigPath } from '../render/cni/bridge.ts';
import { haproxyConfigPath, haproxyUnit } from '../render/haproxy/config.ts';
import { keepalivedCheckPath, keepalivedConfigPath, keepalivedUnit } from '../render/keepalived/config.ts';
import { caConfigPath, credentialsConfigPath, initConfigPath, joinConfigPath } from '../render/kubeadm/commands.ts';
import { steerConfPath, steerScriptPath, steerTablePath, steerUnit } from '../render/steer/script.ts';
import { bindVipScriptPath, bindVipUnit } from '../render/systemd/bind-vip.ts';
import { quietArpPath } from '../render/systemd/quiet-arp.ts';
import { unitPath } from '../render/systemd/unit.ts';

/** Units that some strategy wants; the planner has to know how they are. */
export const askedUnits: readonly string[] = [
  ...Object.values(agentUnits),
  bindVipUnit,
  haproxyUnit,
  keepalivedUnit,
  steerUnit,
];

/** Files that a plan may write or take away; the planner has to know whether and how they are there. */
export const askedFiles: readonly string[] = [
  agentPaths.ca,
  agentPaths.config,
  agentPaths.drainFile,
  agentPaths.program,
  '/etc/kubernetes/pki/ca.crt',
  bindVipScriptPath,
  bridgeConfigPath,
  caConfigPath,
  credentialsConfigPath,
  haproxyConfigPath,
  initConfigPath,
  joinConfigPath,
  keepalivedCheckPath,
  keepalivedConfigPath,
  quietArpPath,
  steerConfPath,
  steerScriptPath,
  steerTablePath,
  ...askedUnits.map(unitPath),
];
