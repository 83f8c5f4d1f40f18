// DuckDB behind a pipe, for duckdb_connection.R: reads {"sql"} a line, answers {"error"} or
// {"rows", "columns"} a line. A column: {"name", "kind", "values"}; numbers are the bytes of
// doubles, as every digit counts, and `absent` says which are NULL.

const { DuckDBInstance } = require('@duckdb/node-api');
const readline = require('readline');

// Kinds as a driver for R returns these types: numbers of more than 32 bits as doubles.
function kindOf(type) {
  if (/^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT)$/.test(type)) return 'integer';
  if (/^(UINTEGER|BIGINT|UBIGINT|HUGEINT|UHUGEINT|FLOAT|DOUBLE|DECIMAL.*)$/.test(type)) {
    return 'double';
  }
  return type === 'BOOLEAN' ? 'logical' : 'character';
}

function toNumber(value) {
  if (value === null) return 0;
  return typeof value === 'object' ? value.toDouble() : Number(value);
}

function toColumn(name, type, values) {
  const kind = kindOf(String(type));
  const absent = values.flatMap((value, i) => (value === null ? [i + 1] : []));
  if (kind === 'character') {
    return { name, kind, values: values.map((v) => (v === null ? '' : String(v))), absent };
  }
  const bytes = Buffer.from(Float64Array.from(values, toNumber).buffer);
  return { name, kind, values: bytes.toString('base64'), absent };
}

async function answer(connection, sql) {
  try {
    const result = await connection.runAndReadAll(sql);
    const names = result.columnNames();
    const types = result.columnTypes();
    const columns = result.getColumns();
    return {
      rows: result.currentRowCount,
      columns: names.map((name, k) => toColumn(name, types[k], columns[k] || [])),
    };
  } catch (problem) {
    return { error: String(problem.message || problem) };
  }
}

async function main() {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  // made after the connection: lines that come before they are asked for would be lost
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const found = await answer(connection, JSON.parse(line).sql);
    process.stdout.write(JSON.stringify(found) + '\n');
  }
}

main();
