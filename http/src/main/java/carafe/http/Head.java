package carafe.http;

import java.nio.charset.StandardCharsets;

/// A message's head: its first line and its fields. Strict where laxness has let requests be smuggled: lines end with
/// CRLF, nothing is folded, no blank stands before a colon. Source: RFC 9112 §2 to §5.
record Head(String firstLine, Headers headers) {

    private static final int MAX_FIELDS = 1000;

    /// Reads what [Inbound#head] returned.
    /// @throws HttpException 400 on anything that is not a head, 431 on too many fields
    static Head parse(byte[] bytes) throws HttpException {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int past = text.indexOf("\r\n");
        String firstLine = text.substring(0, past);
        if (firstLine.indexOf('\r') >= 0 || firstLine.indexOf('\n') >= 0) {
            throw new HttpException(400, "a line ends without CRLF");
        }
        var headers = Headers.builder();
        int fields = 0;
        int from = past + 2;
        while (from < text.length() - 2) {
            int to = text.indexOf("\r\n", from);
            if (++fields > MAX_FIELDS) {
                throw new HttpException(431, "more than " + MAX_FIELDS + " header fields");
            }
            addField(headers, text.substring(from, to));
            from = to + 2;
        }
        return new Head(firstLine, headers.build());
    }

    private static void addField(Headers.Builder headers, String line) throws HttpException {
        int colon = line.indexOf(':');
        if (colon <= 0) {
            throw new HttpException(400, "a header line is not a field");
        }
        int from = colon + 1;
        int to = line.length();
        while (from < to && isBlank(line.charAt(from))) {
            from++;
        }
        while (to > from && isBlank(line.charAt(to - 1))) {
            to--;
        }
        try {
            headers.add(line.substring(0, colon), line.substring(from, to));
        } catch (IllegalArgumentException e) {
            throw new HttpException(400, "a header line is broken: " + e.getMessage());
        }
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }
}
