'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const port = Number(process.env.PORT);

/** Ends with 0 if the page is served. */
function check() {
  http.get({ port }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))
    .on('error', () => process.exit(1));
}

function serve() {
  const page = fs.readFileSync(path.join(__dirname, 'index.html'), 'utf8').replace('{{user}}', process.getuid());
  const server = http.createServer((request, answer) => {
    const found = request.url === '/';
    answer.writeHead(found ? 200 : 404, { 'Content-Type': found ? 'text/html; charset=utf-8' : 'text/plain' });
    answer.end(found ? page : 'no such page\n');
  });
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
  server.listen(port);
}

if (process.argv.includes('--check')) {
  check();
} else {
  serve();
}
