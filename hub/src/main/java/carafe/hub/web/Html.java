package carafe.hub.web;

import java.nio.charset.StandardCharsets;

/// A page being written. What the page's author wrote goes through [#raw], which takes only constants of this package;
/// all else through [#text] or an attribute, both escaped.
/// Source: HTML living standard, "Serializing HTML fragments" (escaping a string).
final class Html {

    private final StringBuilder out = new StringBuilder(8 << 10);

    /// Markup of our own.
    Html raw(String markup) {
        out.append(markup);
        return this;
    }

    /// Text from anywhere.
    Html text(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.append(shown(c));
            }
        }
        return this;
    }

    /// Control characters and those that turn the direction of text would let a name look like another one.
    private static char shown(char c) {
        boolean hidden = c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0
                || c >= 0x200b && c <= 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2060 && c <= 0x206f || c == 0xfeff;
        return hidden ? '\ufffd' : c;
    }

    /// A tag without attributes around text.
    Html element(String tag, String text) {
        return raw("<").raw(tag).raw(">").text(text).raw("</").raw(tag).raw(">");
    }

    /// A link inside the hub; `path` begins with a slash and is escaped as a URL already.
    Html link(String path, String text) {
        return raw("<a href=\"").text(path).raw("\">").text(text).raw("</a>");
    }

    byte[] bytes() {
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }
}
