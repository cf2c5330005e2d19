/** `source` of every event of the control plane. */
export const eventSource = 'tenantry.control-plane';

/** What may become of a tenant and be taken back when it fails, so that it was another meanwhile. */
const changes = ['activate', 'deactivate', 'tierChange', 'limitsChange', 'rename'];

/**
 * Types of the events after which what is remembered of a tenant may be wrong. Offboarding that succeeds is none of them: it has purged the
 * cache, and proven that nothing is left there.
 */
export const tenantChangeEvents: readonly string[] = [
  // Somebody may remember that there was none.
  'onboardingSuccess',
  ...changes.flatMap((name) => [`${name}Success`, `${name}Failure`]),
  'offboardingFailure',
];
