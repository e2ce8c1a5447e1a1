package carafe.cli.template;

import carafe.cli.template.Token.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Words to nodes, by recursive descent; depth and errors are bounded and worded as in Go.
final class Parser {

    private static final int DEEPEST = 500;

    private final String source;
    private final List<Token> tokens;
    private final Map<String, List<Node>> named = new HashMap<>();
    private final List<String> variables = new ArrayList<>(List.of("$"));
    private int at;
    private int depth;
    private int ranges;

    /// What ended a list of nodes.
    private enum Stop { END, ELSE, EOF }

    private record Block(List<Node> nodes, Stop stop) {}

    Parser(String source) throws TemplateException {
        this.source = source;
        this.tokens = Lexer.read(source);
    }

    Map<String, List<Node>> named() {
        return named;
    }

    List<Node> parse() throws TemplateException {
        var block = block();
        if (block.stop != Stop.EOF) {
            throw error("unexpected " + (block.stop == Stop.END ? "{{end}}" : "{{else}}"));
        }
        return block.nodes;
    }

    private Block block() throws TemplateException {
        if (++depth > DEEPEST) {
            throw error("exceeded maximum nesting depth (" + DEEPEST + ")");
        }
        var nodes = new ArrayList<Node>();
        while (true) {
            Token token = next();
            if (token.is(Kind.END)) {
                depth--;
                return new Block(nodes, Stop.EOF);
            }
            if (token.is(Kind.TEXT)) {
                nodes.add(new Node.Literal(token.text()));
                continue;
            }
            String keyword = peekWord();
            if (keyword.equals("end") || keyword.equals("else")) {
                nextWord();
                if (keyword.equals("end")) {
                    close("end");
                }
                depth--;
                return new Block(nodes, keyword.equals("end") ? Stop.END : Stop.ELSE);
            }
            action(keyword, nodes);
        }
    }

    private void action(String keyword, List<Node> nodes) throws TemplateException {
        switch (keyword) {
            case "if", "with" -> {
                nextWord();
                nodes.add(branch(keyword));
            }
            case "range" -> {
                nextWord();
                nodes.add(range());
            }
            case "define" -> {
                nextWord();
                define(name("define"));
            }
            case "template", "block" -> {
                nextWord();
                nodes.add(call(keyword));
            }
            case "break", "continue" -> {
                nextWord();
                if (ranges == 0) {
                    throw error("{{" + keyword + "}} outside {{range}}");
                }
                close(keyword);
                nodes.add(new Node.Jump(keyword.equals("break")));
            }
            default -> {
                var pipe = pipeline("command", Kind.RIGHT);
                nodes.add(new Node.Action(pipe));
            }
        }
    }

    private Node branch(String keyword) throws TemplateException {
        int scope = variables.size();
        var pipe = pipeline(keyword, Kind.RIGHT);
        var yes = block();
        List<Node> no = yes.stop == Stop.ELSE ? otherwise(keyword) : List.of();
        unexpectedEnd(yes);
        forget(scope);
        return new Node.Branch(pipe, yes.nodes, no, keyword.equals("with"));
    }

    private List<Node> otherwise(String keyword) throws TemplateException {
        if (peekWord().equals(keyword) && !keyword.equals("range")) {
            nextWord();
            return List.of(branch(keyword));
        }
        close("else");
        var no = block();
        if (no.stop == Stop.ELSE) {
            throw error("expected end; found {{else}}");
        }
        unexpectedEnd(no);
        return no.nodes;
    }

    private Node range() throws TemplateException {
        int scope = variables.size();
        var pipe = pipeline("range", Kind.RIGHT);
        ranges++;
        var body = block();
        ranges--;
        unexpectedEnd(body);
        List<Node> no = body.stop == Stop.ELSE ? otherwise("range") : List.of();
        forget(scope);
        return new Node.Range(pipe, body.nodes, no);
    }

    private void define(String name) throws TemplateException {
        close("define clause");
        named.put(name, body());
    }

    private List<Node> body() throws TemplateException {
        var outer = new ArrayList<>(variables);
        forget(1);
        var body = block();
        if (body.stop == Stop.ELSE) {
            throw error("unexpected {{else}}");
        }
        unexpectedEnd(body);
        forget(0);
        variables.addAll(outer);
        return body.nodes;
    }

    private Node call(String keyword) throws TemplateException {
        skipSpace();
        int position = peek().position();
        String name = name(keyword);
        skipSpace();
        boolean bare = peek().is(Kind.RIGHT);
        if (bare) {
            next();
        }
        if (bare && keyword.equals("block")) {
            throw error("missing value for block clause");
        }
        var call = new Node.Call(name, bare ? null : pipeline(keyword + " clause", Kind.RIGHT), position);
        if (keyword.equals("block")) {
            named.putIfAbsent(name, body());
        }
        return call;
    }

    private String name(String keyword) throws TemplateException {
        skipSpace();
        Token token = next();
        if (!token.is(Kind.STRING)) {
            throw error("unexpected " + shown(token) + " in " + keyword + " clause");
        }
        return token.text();
    }

    private void close(String context) throws TemplateException {
        skipSpace();
        Token token = next();
        if (!token.is(Kind.RIGHT)) {
            throw error("unexpected " + shown(token) + " in " + context);
        }
    }

    private void unexpectedEnd(Block block) throws TemplateException {
        if (block.stop == Stop.EOF) {
            throw error("unexpected EOF");
        }
    }

    private void forget(int scope) {
        while (variables.size() > scope) {
            variables.removeLast();
        }
    }

    private Pipe pipeline(String context, Kind end) throws TemplateException {
        if (++depth > DEEPEST) {
            throw error("exceeded maximum nesting depth (" + DEEPEST + ")");
        }
        skipSpace();
        int position = peek().position();
        var declared = new ArrayList<String>();
        boolean declares = declarations(context, declared);
        var commands = new ArrayList<Command>();
        while (true) {
            skipSpace();
            if (peek().is(end)) {
                next();
                break;
            }
            commands.add(command(context, commands.size() + 1));
            skipSpace();
            if (peek().is(Kind.PIPE)) {
                next();
                skipSpace();
                if (peek().is(end)) {
                    throw error("missing value for " + context);
                }
            } else if (!peek().is(end)) {
                throw error("unexpected " + shown(peek()) + " in operand");
            }
        }
        if (commands.isEmpty()) {
            throw error("missing value for " + context);
        }
        if (declares) {
            variables.addAll(declared);
        }
        depth--;
        return new Pipe(declared, declares, commands, position);
    }

    /// Reads `$a :=`, `$a =` or, for range, `$i, $a :=`; answers whether it declares.
    private boolean declarations(String context, List<String> declared) throws TemplateException {
        int start = at;
        while (peek().is(Kind.VARIABLE)) {
            declared.add(next().text());
            skipSpace();
            Token token = peek();
            if (token.is(Kind.COMMA) && context.equals("range") && declared.size() == 1) {
                next();
                skipSpace();
                continue;
            }
            if (token.is(Kind.COMMA)) {
                throw error("too many declarations in " + context);
            }
            if (token.is(Kind.DECLARE) || token.is(Kind.ASSIGN)) {
                next();
                if (token.is(Kind.ASSIGN)) {
                    for (var name : declared) {
                        known(name);
                    }
                }
                return token.is(Kind.DECLARE);
            }
            break;
        }
        declared.clear();
        at = start;
        return false;
    }

    private void known(String variable) throws TemplateException {
        if (!variables.contains(variable)) {
            throw error("undefined variable " + GoText.quote(variable));
        }
    }

    private Command command(String context, int stage) throws TemplateException {
        var operands = new ArrayList<Operand>();
        Token first = peek();
        while (true) {
            operands.add(operand(context));
            Token behind = peek();
            if (!behind.is(Kind.SPACE)) {
                break;
            }
            skipSpace();
            if (peek().is(Kind.RIGHT) || peek().is(Kind.CLOSE) || peek().is(Kind.PIPE)) {
                break;
            }
        }
        if (stage > 1 && (operands.getFirst() instanceof Operand.Constant || operands.getFirst() instanceof Operand.Dot)) {
            throw error("non executable command in pipeline stage " + stage);
        }
        if (first.is(Kind.COMMA)) {
            throw error("unexpected \",\" in operand");
        }
        return new Command(operands);
    }

    private Operand operand(String context) throws TemplateException {
        Token token = next();
        Operand operand = switch (token.kind()) {
            case STRING -> new Operand.Constant(token.text(), quotedSource(token), token.position());
            case CHARACTER -> new Operand.Constant((long) token.text().codePointAt(0), quotedSource(token), token.position());
            case NUMBER -> new Operand.Constant(number(token.text()), token.text(), token.position());
            case DOT -> new Operand.Dot(token.position());
            case FIELD -> new Operand.Fields(new Operand.Dot(token.position()), List.of(token.text().substring(1)),
                    token.position());
            case VARIABLE -> {
                known(token.text());
                yield new Operand.Variable(token.text(), token.position());
            }
            case WORD -> word(token);
            case OPEN -> new Operand.Group(pipeline("parenthesized pipeline", Kind.CLOSE), token.position());
            case TEXT, LEFT, RIGHT, SPACE, PIPE, DECLARE, ASSIGN, COMMA, CLOSE, END ->
                throw error(token.is(Kind.PIPE) || token.is(Kind.RIGHT) ? "missing value for " + context
                        : "unexpected " + shown(token) + " in operand");
        };
        if (peek().is(Kind.FIELD)) {
            operand = fields(operand);
        }
        Token behind = peek();
        if (!behind.is(Kind.SPACE) && !behind.is(Kind.RIGHT) && !behind.is(Kind.CLOSE) && !behind.is(Kind.PIPE)) {
            throw error("unexpected " + shown(behind) + " in operand");
        }
        return operand;
    }

    private Operand fields(Operand of) throws TemplateException {
        if (of instanceof Operand.Constant || of instanceof Operand.Dot) {
            throw error("unexpected . after term " + GoText.quote(of.toString()));
        }
        int position = peek().position();
        var names = new ArrayList<String>();
        if (of instanceof Operand.Fields fields) {
            names.addAll(fields.names());
        }
        while (peek().is(Kind.FIELD)) {
            names.add(next().text().substring(1));
        }
        return new Operand.Fields(of instanceof Operand.Fields fields ? fields.of() : of, List.copyOf(names), position);
    }

    private Operand word(Token token) throws TemplateException {
        return switch (token.text()) {
            case "true" -> new Operand.Constant(true, "true", token.position());
            case "false" -> new Operand.Constant(false, "false", token.position());
            case "nil" -> new Operand.Constant(Values.NIL, "nil", token.position());
            default -> {
                if (!Functions.exists(token.text())) {
                    throw error("function " + GoText.quote(token.text()) + " not defined");
                }
                yield new Operand.Function(token.text(), token.position());
            }
        };
    }

    private Object number(String typed) throws TemplateException {
        String text = typed.replace("_", "");
        try {
            boolean hex = text.startsWith("0x") || text.startsWith("0X");
            Object number = hex ? Values.number(new BigDecimal(new BigInteger(text.substring(2), 16)))
                    : Values.number(exact(text));
            return number;
        } catch (NumberFormatException e) {
            throw error("bad number syntax: " + GoText.quote(typed));
        }
    }

    private static BigDecimal exact(String text) {
        var number = new BigDecimal(text);
        if (Math.abs((long) number.scale()) > 400 || number.precision() > 400) {
            throw new NumberFormatException(text);
        }
        return number;
    }

    private String quotedSource(Token token) {
        int end = token.position() + 1;
        char quote = source.charAt(token.position());
        while (source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' && quote != '`' ? 2 : 1;
        }
        return source.substring(token.position(), end + 1);
    }

    private Token peek() {
        return tokens.get(at);
    }

    private Token next() {
        Token token = tokens.get(at);
        if (at < tokens.size() - 1) {
            at++;
        }
        return token;
    }

    private void skipSpace() {
        while (peek().is(Kind.SPACE)) {
            next();
        }
    }

    private String peekWord() {
        int ahead = at;
        while (tokens.get(ahead).is(Kind.SPACE)) {
            ahead++;
        }
        return tokens.get(ahead).is(Kind.WORD) ? tokens.get(ahead).text() : "";
    }

    private Token nextWord() {
        skipSpace();
        return next();
    }

    private static String shown(Token token) {
        return switch (token.kind()) {
            case END -> "EOF";
            case RIGHT -> "\"}}\"";
            default -> "<" + token.text() + ">";
        };
    }

    private TemplateException error(String what) {
        int position = tokens.get(Math.max(0, at - 1)).position();
        return new TemplateException("template: :" + Lexer.line(source, position) + ": " + what);
    }
}
