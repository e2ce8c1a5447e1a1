package carafe.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Prints the heads of responses. Content-Length, Transfer-Encoding and Connection are the server's business: what a
/// handler says about them is left out.
final class ResponseHead {

    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH).withZone(ZoneOffset.UTC);

    /// The last Date printed and its second; racing threads only print it twice.
    private record Stamp(long second, String text) {}

    private volatile @Nullable Stamp stamp;

    /// A head with the handler's fields, then `framing`: complete lines of the server's own.
    ByteBuffer print(int status, Headers headers, String framing) {
        return print(status, reason(status), headers, framing);
    }

    /// The same with another reason than the standard's.
    ByteBuffer print(int status, String reason, Headers headers, String framing) {
        var text = new StringBuilder(256);
        text.append("HTTP/1.1 ").append(status).append(' ').append(reason).append("\r\n");
        boolean dated = false;
        for (int i = 0; i < headers.size(); i++) {
            String name = headers.name(i);
            if (name.equalsIgnoreCase("Content-Length")
                    || name.equalsIgnoreCase("Transfer-Encoding")
                    || name.equalsIgnoreCase("Connection")) {
                continue;
            }
            dated |= name.equalsIgnoreCase("Date");
            text.append(name).append(": ").append(headers.value(i)).append("\r\n");
        }
        if (!dated && status >= 200) {
            text.append("Date: ").append(date()).append("\r\n");
        }
        text.append(framing).append("\r\n");
        return ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    private String date() {
        long now = System.currentTimeMillis() / 1000;
        var last = stamp;
        if (last == null || last.second() != now) {
            last = new Stamp(now, HTTP_DATE.format(Instant.ofEpochSecond(now)));
            stamp = last;
        }
        return last.text();
    }

    private static String reason(int status) {
        return switch (status) {
            case 100 -> "Continue";
            case 101 -> "UPGRADED"; // Docker's spelling, which some clients compare
            case 200 -> "OK";
            case 201 -> "Created";
            case 202 -> "Accepted";
            case 204 -> "No Content";
            case 206 -> "Partial Content";
            case 301 -> "Moved Permanently";
            case 302 -> "Found";
            case 304 -> "Not Modified";
            case 307 -> "Temporary Redirect";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 406 -> "Not Acceptable";
            case 409 -> "Conflict";
            case 411 -> "Length Required";
            case 412 -> "Precondition Failed";
            case 413 -> "Request Entity Too Large";
            case 414 -> "Request URI Too Long";
            case 415 -> "Unsupported Media Type";
            case 416 -> "Requested Range Not Satisfiable";
            case 422 -> "Unprocessable Entity";
            case 429 -> "Too Many Requests";
            case 431 -> "Request Header Fields Too Large";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 505 -> "HTTP Version Not Supported";
            default -> "Status " + status;
        };
    }
}
