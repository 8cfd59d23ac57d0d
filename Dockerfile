# A server without rights: no root, and nothing it may write to but /data. How it is run: docs/operations.md, "In a container".

FROM node:24-slim AS build
WORKDIR /source
COPY . .
# Install scripts of dependencies are not run, not even where npm is too old to know `allowScripts`.
RUN npm ci --include=dev --ignore-scripts && npm run build && npm pack --ignore-scripts
# What is published, with what it depends on as the lock file has it, and no development tools.
WORKDIR /app
RUN tar -xzf /source/bonafide-*.tgz --strip-components=1 && cp /source/package-lock.json /source/.npmrc . \
  && npm ci --omit=dev --ignore-scripts
RUN mkdir /data && chown 1000:1000 /data

FROM node:24-slim
COPY --from=build /app /app
COPY --from=build /data /data
ENV NODE_ENV=production BONAFIDE_HOST=0.0.0.0 BONAFIDE_DATA=/data
# glibc gives freed memory back, rather than keep more of it by and by (docs/operations.md). Workers have their own.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
# By number, so that Kubernetes sees that it is not root.
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/bonafide.js"]
CMD ["serve"]
