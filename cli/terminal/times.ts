/** `2026-01-02 03:04`, UTC as the control plane gives it. */
export const minuteOf = (timestamp: string): string => timestamp.slice(0, 16).replace('T', ' ');

/** `0:07`, `12:00` or `1:02:03`. */
export function clockOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}
