// Without any library behind it: the steerer, which is to stay small, reads this and not the schema beside it.
export { agentPaths, agentUser } from '../../render/agent/paths.ts';
