// dot-segment = sep 1*2( "." / "%2e" ) ( sep / end ) ; RFC 3986, 5.2.4, with every spelling that some backend
// takes for a separator: "/", "\", "%2f", "%5c"; and with parameters (";"), which some take off first
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\;]|%2f|%5c|%3b)/i;

/** Whether a backend that normalises the path might serve another one than the one that was matched. */
export function hasDotSegments(url: string): boolean {
  const query = url.search(/[?#]/);
  return DOT_SEGMENT.test(query === -1 ? url : url.slice(0, query));
}
