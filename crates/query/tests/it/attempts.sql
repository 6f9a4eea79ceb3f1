SELECT * FROM people
SELECT * EXCLUDE (name) FROM people
SELECT p.* FROM people AS p
SELECT * FROM demo.people
SELECT * FROM bedplate.demo.people
SELECT * FROM "people" AS region
SELECT email AS e, ssn AS s FROM people
SELECT upper(email), reverse(email), substr(email, 1, 4), email || ssn FROM people
SELECT coalesce(ssn, email, region) FROM people
SELECT CASE WHEN email LIKE 'ada@%' THEN 'ada@ it is' ELSE 'no' END AS found FROM people
SELECT * FROM people WHERE email = 'cyd@example.org' OR email LIKE '%@%' OR ssn = '111-11'
SELECT * FROM people WHERE region <> 'eu'
SELECT * FROM people WHERE region = 'us-secret'
SELECT * FROM people WHERE true OR region = 'us-secret'
SELECT * FROM people WHERE region IS NOT NULL OR random() < 2
SELECT * FROM people WHERE id = 3
SELECT * FROM people WHERE id IN (3, 4) ORDER BY id LIMIT 1
SELECT min(email), max(email), min(ssn), max(ssn), max(region), max(name) FROM people
SELECT array_agg(email), string_agg(name, ','), array_agg(region) FROM people
SELECT email, count(*) FROM people GROUP BY email HAVING max(age) > 0
SELECT region, count(*) FROM people GROUP BY ROLLUP (region)
SELECT count(*) FILTER (WHERE region <> 'eu') AS others, 'x' AS x FROM people HAVING count(*) > 4
SELECT first_value(email) OVER (ORDER BY age DESC), lag(name) OVER (ORDER BY id DESC) FROM people
SELECT last_value(name) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM people
SELECT DISTINCT ON (region) region, name, email FROM people ORDER BY region DESC
SELECT name FROM people QUALIFY row_number() OVER (ORDER BY id DESC) = 1
WITH p AS (SELECT * FROM people) SELECT p.email, q.name FROM p CROSS JOIN p AS q
WITH people AS (SELECT * FROM people) SELECT * FROM people
WITH RECURSIVE r AS (SELECT id, name, email FROM people WHERE id = 1 UNION ALL SELECT p.id, p.name, p.email FROM people p JOIN r ON p.id = r.id + 1) SELECT * FROM r
SELECT (SELECT max(email) FROM people) AS a, (SELECT max(name) FROM people WHERE region <> 'eu') AS b
SELECT name FROM people p WHERE EXISTS (SELECT 1 FROM people q WHERE q.email LIKE 'cyd@%' AND q.id = p.id)
SELECT name FROM people WHERE id IN (SELECT id FROM people WHERE region <> 'eu')
SELECT name FROM people WHERE id <> ALL (SELECT id FROM people WHERE region = 'eu')
SELECT a.name, b.email FROM people a FULL JOIN people b ON a.region <> b.region
SELECT a.name FROM people a RIGHT JOIN (VALUES (3), (4)) AS v (id) ON a.id = v.id
SELECT a.name FROM people a JOIN (VALUES ('cyd@example.org'), ('ada@example.org')) AS v (e) ON a.email = v.e
SELECT a.name FROM people a LEFT ANTI JOIN (SELECT id FROM people WHERE region = 'eu') b ON a.id = b.id
SELECT a.name, l.name FROM people a, LATERAL (SELECT name FROM people b WHERE b.id = a.id + 2) AS l
SELECT name FROM people UNION SELECT email FROM people UNION ALL SELECT ssn FROM people
SELECT name FROM people EXCEPT SELECT name FROM people WHERE region = 'eu'
SELECT name, email FROM people ORDER BY ssn DESC NULLS LAST, region DESC LIMIT 1 OFFSET 0
SELECT CAST(name AS INT) FROM people WHERE region <> 'eu'
SELECT name FROM people WHERE CAST(email AS INT) > 0
SELECT name FROM people WHERE CAST(region AS INT) > 0 AND region <> 'eu'
SELECT name FROM people WHERE 1 / (age - 99) > -1000
SELECT 1 / (age - 99) AS x, name FROM people
SELECT name FROM people WHERE CASE WHEN region <> 'eu' THEN CAST(name AS INT) ELSE 1 END = 1
SELECT salary FROM people
SELECT name FROM people WHERE salary > 71000
SELECT name FROM people ORDER BY salary
SELECT p.salary FROM (SELECT * FROM people) AS p
SELECT name FROM people NATURAL JOIN (SELECT 71001 AS salary) AS v
SELECT pseudonym(name) FROM people
SELECT arrow_typeof(email), named_struct('e', email, 's', ssn) FROM people
SELECT sha256('ada@example.org') FROM people WHERE email = encode(sha256('ada@example.org'), 'hex')
SELECT unnest([email, ssn, region]) FROM people
SELECT approx_distinct(email), approx_percentile_cont(age, 0.99) FROM people
SELECT corr(age, id), stddev(age) FROM people WHERE region <> 'eu' AND age = 99
DESCRIBE people
EXPLAIN SELECT * FROM people WHERE email = 'x' AND region <> 'eu'
EXPLAIN VERBOSE SELECT count(*) FROM people
EXPLAIN ANALYZE SELECT count(*), max(email) FROM people
EXPLAIN ANALYZE VERBOSE SELECT * FROM people WHERE age > 0 ORDER BY age LIMIT 1
EXPLAIN FORMAT TREE SELECT * FROM people
EXPLAIN FORMAT pgjson SELECT * FROM people
