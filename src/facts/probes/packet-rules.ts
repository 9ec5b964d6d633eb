import { quoteArg } from '../../std/quote.ts';
import { lines, type Probe, sections } from '../probe.ts';
import type { PacketRules } from '../types.ts';

// Prints `FAMILY TABLE CHAIN: RULE` for each line of a listing that names one of the addresses, as a whole word.
const awk = `
/^table /            { where = $2 " " $3; next }
/^\\t(chain|set|map) / { inner = $2; next }
{
  for (i in wanted) {
    at = index($0, wanted[i])
    if (at == 0) continue
    before = substr($0, at - 1, 1); after = substr($0, at + length(wanted[i]), 1)
    if (before ~ /[0-9a-fA-F.:]/ || after ~ /[0-9a-fA-F:]/) continue
    line = $0; sub(/^[ \\t]+/, "", line)
    print where " " inner ": " substr(line, 1, 400)
    break
  }
}`;

/**
 * Rules that have to do with an endpoint. A ruleset with very many set elements is listed without them when listing all
 * takes longer than 2 s (each commit of somebody else makes a long listing start over).
 */
export const packetRules: Probe<PacketRules> = {
  script: (ask) => `
wanted=${quoteArg(ask.endpointAddresses.map((a) => a.text).join(' '))}
echo @tables
if command -v nft >/dev/null; then timeout 2 nft list tables || :; fi
echo @nft
if command -v nft >/dev/null && [ -n "$wanted" ]; then
  listing=$(timeout 2 nft list ruleset || timeout 2 nft -t list ruleset || :)
  printf '%s\\n' "$listing" | awk -v list="$wanted" 'BEGIN { split(list, wanted, " ") } ${awk}'
fi
echo @iptables
for v in '' 6; do
  [ -n "$wanted" ] && [ -s "/proc/net/ip\${v}_tables_names" ] || continue
  save=$(command -v "ip\${v}tables-legacy-save" || command -v "ip\${v}tables-save") || continue
  for a in $wanted; do timeout 2 "$save" | grep -Fw -e "$a" || :; done
done
:`,

  parse(text) {
    const of = (title: string) => lines(sections(text).find((section) => section.title === title)?.body ?? '');
    return {
      nftTables: of('tables').map((line) => line.replace(/^table /, '')),
      nft: of('nft'),
      iptables: of('iptables'),
    };
  },
};
