# One node from source: Node 24 runs TypeScript directly, so there is no build step.
FROM node:24-slim
WORKDIR /memgrid
COPY . .
RUN npx -y pnpm@12 install --prod --frozen-lockfile \
  && mkdir /data && chown node:node /data
USER node
VOLUME /data
ENV MEMGRID_DATA=/data
EXPOSE 7700 7780
# Node is process 1 here: it handles SIGTERM itself, hands over and leaves in good order.
ENTRYPOINT ["node", "--conditions=memgrid-source", "packages/cli/src/main.ts"]
CMD ["start"]
