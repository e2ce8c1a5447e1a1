package carafe.cli.template;

/// One word of a template; `position` counts characters from the template's start.
record Token(Kind kind, String text, int position) {

    /// What a word is.
    enum Kind {
        TEXT, LEFT, RIGHT, SPACE, FIELD, VARIABLE, WORD, DOT, NUMBER, CHARACTER, STRING, PIPE, DECLARE, ASSIGN, COMMA,
        OPEN, CLOSE, END
    }

    boolean is(Kind wanted) {
        return kind == wanted;
    }
}
