/** One place that apt gets packages from. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
  readonly trusted: boolean;
}

/** Reads both formats of /etc/apt: one line each (`.list`) and stanzas (`.sources`, deb822). */
export function parseAptSources(fileName: string, text: string): readonly AptSource[] {
  return fileName.endsWith('.sources') ? parseStanzas(text) : text.split('\n').flatMap(parseLine);
}

/**
 * The source that holds `suite` itself (not `-updates` or `-security`: debootstrap takes one suite) with a `main`
 * component, over a protocol that debootstrap speaks.
 */
export function mirrorFor(suite: string, sources: readonly AptSource[]): AptSource | undefined {
  return sources.find(
    (source) => source.suite === suite && source.components.includes('main') && /^(https?|file):/.test(source.uri),
  );
}

function parseLine(line: string): readonly AptSource[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
  if (match === null) return [];
  const [, options = '', uri = '', suite = '', components = ''] = match;
  const option = (name: string) => new RegExp(`(?:^|\\s)${name}=(\\S+)`, 'i').exec(options)?.[1];
  return [
    {
      uri,
      suite,
      components: words(components),
      signedBy: option('signed-by'),
      trusted: option('trusted') === 'yes',
    },
  ];
}

function parseStanzas(text: string): readonly AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    const get = (name: string) => fields.get(name) ?? '';
    if (!words(get('types')).includes('deb') || get('enabled').trim() === 'no') return [];
    const signedBy = get('signed-by').trim();
    return words(get('uris')).flatMap((uri) =>
      words(get('suites')).map((suite) => ({
        uri,
        suite,
        components: words(get('components')),
        // A key may also be pasted into the stanza; debootstrap wants a file, so only a path is of use.
        signedBy: signedBy.startsWith('/') ? signedBy : undefined,
        trusted: get('trusted').trim() === 'yes',
      })),
    );
  });
}

/** `Name: value` with continuation lines that begin with a space; `#` begins a comment line. */
function stanzaFields(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([A-Za-z-]+):(.*)$/.exec(line);
    if (match !== null) {
      last = (match[1] ?? '').toLowerCase();
      fields.set(last, match[2] ?? '');
    } else if (/^\s/.test(line) && last !== '') {
      fields.set(last, `${fields.get(last) ?? ''}\n${line}`);
    }
  }
  return fields;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
