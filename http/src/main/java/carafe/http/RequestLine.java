package carafe.http;

/// The first line of a request. `path` and `query` are as sent. Source: RFC 9112 §3.
record RequestLine(String method, String path, String query, boolean http11) {

    private static final int MAX_METHOD = 32;

    /// Reads the line.
    /// @throws HttpException 400 when it is not a request line, 505 for another version of HTTP
    static RequestLine parse(String line) throws HttpException {
        int first = line.indexOf(' ');
        int last = line.lastIndexOf(' ');
        if (first <= 0 || first == last || first > MAX_METHOD) {
            throw new HttpException(400, "not an HTTP request");
        }
        String method = line.substring(0, first);
        String target = line.substring(first + 1, last);
        String version = line.substring(last + 1);
        for (int i = 0; i < method.length(); i++) {
            char c = method.charAt(i);
            if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_') {
                throw new HttpException(400, "not an HTTP request");
            }
        }
        if (!version.equals("HTTP/1.1") && !version.equals("HTTP/1.0")) {
            if (version.startsWith("HTTP/")) {
                throw new HttpException(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
            }
            throw new HttpException(400, "not an HTTP request");
        }
        for (int i = 0; i < target.length(); i++) {
            if (target.charAt(i) <= ' ' || target.charAt(i) == 0x7f) {
                throw new HttpException(400, "the request's target holds a blank or a control character");
            }
        }
        String path = pathOf(target);
        int mark = path.indexOf('?');
        return new RequestLine(
                method,
                mark < 0 ? path : path.substring(0, mark),
                mark < 0 ? "" : path.substring(mark + 1),
                version.endsWith("1.1"));
    }

    private static String pathOf(String target) throws HttpException {
        if (target.startsWith("/") || target.equals("*")) {
            return target;
        }
        int authority = target.indexOf("://");
        if (authority <= 0) {
            throw new HttpException(400, "the request's target is not a path");
        }
        for (int i = authority + 3; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c == '/') {
                return target.substring(i);
            }
            if (c == '?') {
                return "/" + target.substring(i);
            }
        }
        return "/";
    }
}
