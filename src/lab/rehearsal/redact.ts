/**
 * Takes what is secret out of what kubeadm and its programs print, and what is this machine's, so that it can be kept and
 * shown. The shape stays: a token still looks like one to whoever parses it. Pure.
 */
export function redact(text: string): string {
  return text
    .replaceAll(/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, 'abcdef.0123456789abcdef')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'f'.repeat(64))
    .replaceAll(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g, '-----REDACTED-----')
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'JWT-REDACTED')
    .replaceAll(/\b[A-Za-z0-9+/]{200,}={0,2}/g, 'BASE64-REDACTED')
    .replaceAll(colour, '')
    .replaceAll(/\b(\d+\.\d+\.\d+)-[a-z]+-v\d+\b/g, '$1')
    .replaceAll(/(SystemUUID|MachineID|BootID|machineID|bootID|systemUUID)([":= ]+)[0-9a-f-]{32,36}/g, '$1$20');
}

// eslint-disable-next-line no-control-regex -- that is what an escape sequence begins with
const colour = /\u001b\[[0-9;]*m/g;
