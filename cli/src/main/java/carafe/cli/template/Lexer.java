package carafe.cli.template;

import carafe.cli.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/// Cuts a template into words: text outside `{{ }}`, and what stands inside.
///
/// `{{- ` takes the white space before it away, ` -}}` that behind it; `{{/* … */}}` is a comment.
final class Lexer {

    private static final String LEFT = "{{";
    private static final String RIGHT = "}}";

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int parens;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> read(String source) throws TemplateException {
        var lexer = new Lexer(source);
        lexer.text();
        lexer.add(Kind.END, "", source.length());
        return lexer.tokens;
    }

    private void text() throws TemplateException {
        boolean trimNext = false;
        while (true) {
            int open = source.indexOf(LEFT, at);
            int end = open < 0 ? source.length() : open;
            boolean trim = open >= 0 && source.startsWith("-", open + 2) && isSpaceAt(open + 3);
            int from = at;
            while (trimNext && from < end && isSpace(source.charAt(from))) {
                from++;
            }
            int to = end;
            while (trim && to > from && isSpace(source.charAt(to - 1))) {
                to--;
            }
            if (to > from) {
                add(Kind.TEXT, source.substring(from, to), from);
            }
            if (open < 0) {
                return;
            }
            at = open + 2 + (trim ? 2 : 0);
            trimNext = source.startsWith("/*", at) ? comment(open) : action(open);
        }
    }

    private boolean comment(int open) throws TemplateException {
        int close = source.indexOf("*/", at);
        if (close < 0) {
            throw error(open, "unclosed comment");
        }
        at = close + 2;
        boolean trim = isSpaceAt(at) && source.startsWith("-" + RIGHT, at + 1);
        if (!trim && !source.startsWith(RIGHT, at)) {
            throw error(open, "comment ends before closing delimiter");
        }
        at += trim ? 4 : 2;
        return trim;
    }

    /// Reads up to and with `}}`; answers whether it trims the text behind it.
    private boolean action(int open) throws TemplateException {
        add(Kind.LEFT, LEFT, open);
        parens = 0;
        while (true) {
            boolean trim = isSpaceAt(at) && source.startsWith("-" + RIGHT, at + 1);
            if (trim || source.startsWith(RIGHT, at)) {
                if (parens > 0) {
                    throw error(at, "unclosed left paren");
                }
                add(Kind.RIGHT, RIGHT, at);
                at += trim ? 4 : 2;
                return trim;
            }
            if (at >= source.length()) {
                throw error(open, "unclosed action");
            }
            word();
        }
    }

    private void word() throws TemplateException {
        int start = at;
        char c = source.charAt(at);
        if (isSpace(c)) {
            while (isSpaceAt(at) && !source.startsWith("-" + RIGHT, at + 1)) {
                at++;
            }
            add(Kind.SPACE, " ", start);
        } else if (c == '"' || c == '`' || c == '\'') {
            quoted(c);
        } else if (c == '.' && !isDigitAt(at + 1)) {
            at++;
            name();
            add(at == start + 1 ? Kind.DOT : Kind.FIELD, source.substring(start, at), start);
        } else if (c == '$') {
            at++;
            name();
            add(Kind.VARIABLE, source.substring(start, at), start);
        } else if (isDigitAt(at) || (c == '+' || c == '-' || c == '.') && at + 1 < source.length()
                && (isDigitAt(at + 1) || source.charAt(at + 1) == '.')) {
            at++;
            while (at < source.length() && isNumberPart(source.charAt(at), source.charAt(at - 1))) {
                at++;
            }
            if (isNamePartAt(at)) {
                throw error(start, "bad number syntax: " + GoText.quote(source.substring(start, at + 1)));
            }
            add(Kind.NUMBER, source.substring(start, at), start);
        } else if (isNamePartAt(at)) {
            name();
            add(Kind.WORD, source.substring(start, at), start);
        } else {
            sign(c);
        }
    }

    private void sign(char c) throws TemplateException {
        int start = at++;
        switch (c) {
            case '|' -> add(Kind.PIPE, "|", start);
            case '=' -> add(Kind.ASSIGN, "=", start);
            case ',' -> add(Kind.COMMA, ",", start);
            case '(' -> {
                parens++;
                add(Kind.OPEN, "(", start);
            }
            case ')' -> {
                if (--parens < 0) {
                    throw error(start, "unexpected right paren");
                }
                add(Kind.CLOSE, ")", start);
            }
            case ':' -> {
                if (!source.startsWith("=", at)) {
                    throw error(start, "expected :=");
                }
                at++;
                add(Kind.DECLARE, ":=", start);
            }
            default -> throw error(start, "unexpected " + GoText.quote(String.valueOf(c)) + " in command");
        }
    }

    private void quoted(char quote) throws TemplateException {
        int start = at++;
        while (true) {
            char c = at < source.length() ? source.charAt(at) : '\n';
            if (at >= source.length() || c == '\n' && quote != '`') {
                throw error(start, quote == '`' ? "unterminated raw quoted string"
                        : quote == '"' ? "unterminated quoted string" : "unterminated character constant");
            }
            at++;
            if (c == quote) {
                break;
            }
            if (c == '\\' && quote != '`') {
                at++;
            }
        }
        if (at > source.length()) {
            throw error(start, "unterminated quoted string");
        }
        String inside = source.substring(start + 1, at - 1);
        String text = quote == '`' ? inside : unescape(inside, start);
        if (quote == '\'' && text.codePointCount(0, text.length()) != 1) {
            throw error(start, "malformed character constant: " + source.substring(start, at));
        }
        add(quote == '\'' ? Kind.CHARACTER : Kind.STRING, text, start);
    }

    private String unescape(String inside, int start) throws TemplateException {
        if (inside.indexOf('\\') < 0) {
            return inside;
        }
        var text = new StringBuilder(inside.length());
        for (int i = 0; i < inside.length(); i++) {
            char c = inside.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char escape = inside.charAt(++i);
            int digits = switch (escape) {
                case 'x' -> 2;
                case 'u' -> 4;
                case 'U' -> 8;
                default -> 0;
            };
            if (digits > 0) {
                try {
                    text.appendCodePoint(Integer.parseInt(inside, i + 1, i + 1 + digits, 16));
                } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
                    throw error(start, "invalid syntax");
                }
                i += digits;
                continue;
            }
            int plain = "abfnrtv\\'\"".indexOf(escape);
            if (plain < 0) {
                throw error(start, "invalid syntax");
            }
            text.append("\u0007\b\f\n\r\t\u000b\\'\"".charAt(plain));
        }
        return text.toString();
    }

    private void name() {
        while (isNamePartAt(at)) {
            at++;
        }
    }

    private boolean isNamePartAt(int index) {
        return index < source.length() && (source.charAt(index) == '_' || Character.isLetterOrDigit(source.charAt(index)));
    }

    private boolean isDigitAt(int index) {
        return index < source.length() && source.charAt(index) >= '0' && source.charAt(index) <= '9';
    }

    private static boolean isNumberPart(char c, char before) {
        return c >= '0' && c <= '9' || c == '.' || c == '_' || c == 'x' || c == 'X' || c >= 'a' && c <= 'f'
                || c >= 'A' && c <= 'F' || (c == '+' || c == '-') && (before == 'e' || before == 'E');
    }

    private boolean isSpaceAt(int index) {
        return index < source.length() && isSpace(source.charAt(index));
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    private void add(Kind kind, String text, int position) {
        tokens.add(new Token(kind, text, position));
    }

    private TemplateException error(int position, String what) {
        return new TemplateException("template: :" + line(source, position) + ": " + what);
    }

    /// The line, from 1, on which a character stands.
    static int line(String source, int position) {
        int line = 1;
        for (int i = 0; i < position && i < source.length(); i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
        return line;
    }
}
