package carafe.cli.flag;

import java.util.ArrayList;
import java.util.List;

/// One line of comma-separated fields; a field in double quotes may hold commas, a doubled quote is one. Source: RFC 4180.
public final class Csv {

    private Csv() {}

    /// Its fields; one empty one of an empty line.
    public static List<String> fields(String line) throws FlagException {
        var fields = new ArrayList<String>();
        int at = 0;
        while (at <= line.length()) {
            if (at < line.length() && line.charAt(at) == '"') {
                var field = new StringBuilder();
                at++;
                while (true) {
                    int quote = line.indexOf('"', at);
                    if (quote < 0) {
                        throw new FlagException("parse error on line 1, column " + (line.length() + 1)
                                + ": extraneous or missing \" in quoted-field");
                    }
                    field.append(line, at, quote);
                    at = quote + 1;
                    if (at >= line.length() || line.charAt(at) != '"') {
                        break;
                    }
                    field.append('"');
                    at++;
                }
                if (at < line.length() && line.charAt(at) != ',') {
                    throw new FlagException("parse error on line 1, column " + (at + 1)
                            + ": extraneous or missing \" in quoted-field");
                }
                fields.add(field.toString());
                at++;
            } else {
                int comma = line.indexOf(',', at);
                int end = comma < 0 ? line.length() : comma;
                int quote = line.indexOf('"', at);
                if (quote >= 0 && quote < end) {
                    throw new FlagException("parse error on line 1, column " + (quote + 1) + ": bare \" in non-quoted-field");
                }
                fields.add(line.substring(at, end));
                at = end + 1;
            }
        }
        return fields;
    }
}
