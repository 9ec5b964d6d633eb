import { OperatorError } from '../../errors/operator-error.ts';
import { type Handler, lastLines } from '../handler.ts';
import { nodePaths } from '../on-node.ts';

/** Keeps how a unit was before its first change, for `reset`. Part of the same command as the change. */
export const keepUnitState = `
keep_unit() {
  grep -qs -- "^$1 " "$2" && return 0
  enabled=$(systemctl is-enabled -- "$1" 2>/dev/null) || :
  active=$(systemctl is-active -- "$1" 2>/dev/null) || :
  mkdir -p -m 755 -- "\${2%/*}"
  printf '%s %s %s\\n' "$1" "\${enabled:-absent}" "\${active:-inactive}" >>"$2"
}
`;

const unitScript = `${keepUnitState}
unit=$1 units=$2; shift 2
[ -n "$unit" ] && keep_unit "$unit" "$units"
for action in "$@"; do
  case $action in
    daemon-reload) systemctl daemon-reload || exit ;;
    # Each enable would have systemd read all units again, which takes longer than everything else here.
    enable) systemctl enable --no-reload -- "$unit" || exit ;;
    restart)
      # A run that was killed may have written the file and not come to the reload.
      [ "$(systemctl show --property NeedDaemonReload --value -- "$unit")" != yes ] || systemctl daemon-reload || exit
      systemctl reset-failed -- "$unit" 2>/dev/null
      systemctl restart -- "$unit" || exit
      ;;
    *) systemctl "$action" -- "$unit" || exit ;;
  esac
done
`;

// What the unit itself said: the last lines of its journal are worth more than systemctl's "see journalctl".
const whyScript = 'journalctl --no-pager --lines 8 --output cat --unit "$1" 2>/dev/null || :';

export const unit: Handler<'unit'> = async (step, cx) => {
  const argv = ['sh', '-c', unitScript, 'hairpin-unit', step.unit, nodePaths.units, ...step.actions];
  const result = await cx.change(argv, { timeout: 120_000 });
  if (result.exitCode === 0) return undefined;
  const why = step.unit === '' ? '' : (await cx.node.probe(['sh', '-c', whyScript, 'hairpin-why', step.unit])).stdout;
  throw new OperatorError('STEP_FAILED', `systemctl ${step.actions.join(', ')} ${step.unit} failed`, {
    cause: lastLines(why.trim() === '' ? result.stderr : why, 8),
  });
};
